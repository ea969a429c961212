//! `docs/policy-language.md`: every piece of a pack, every value, every mistake, key and limit in it is run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use ansinh::kernel::catalogue;
use ansinh::policy::{
    self, CasePeople, Choice, ExampleResult, Explanation, LineKind, MonthPolicy, Pack, ParameterRead,
    ProgrammeExplanation, Read, Status, Truth,
};
use ansinh::types::Decimal;

/// The month in which the values of expressions hold.
const MONTH: &str = "2026-06";
/// What mistakes name as their file.
const FILE: &str = "pack.toml";

/// A grey box of the document.
#[derive(Debug, Clone)]
struct Block {
    info: String,
    text: String,
    /// The line in which it begins, from 1.
    line: usize,
}

struct Document {
    text: String,
    blocks: Vec<Block>,
}

impl Document {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy-language.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_open = false;
        for (at, line) in text.lines().enumerate() {
            if let Some(info) = line.strip_prefix("```") {
                is_open = !is_open;
                if is_open {
                    blocks.push(Block {
                        info: info.to_owned(),
                        text: String::new(),
                        line: at + 1,
                    });
                }
            } else if is_open {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
        assert!(!is_open, "the last box is not closed");
        Self { text, blocks }
    }

    fn of<'d>(&'d self, info: &'d str) -> impl Iterator<Item = &'d Block> {
        self.blocks.iter().filter(move |block| block.info == info)
    }

    fn only(&self, info: &str) -> &str {
        let mut found = self.blocks.iter().filter(|block| block.info == info);
        let block = found.next().unwrap_or_else(|| panic!("no box {info:?}"));
        assert!(found.next().is_none(), "{info:?} stands twice");
        &block.text
    }

    /// A piece of a pack with the sample around it. The piece stands first, so that lines count from its beginning.
    fn completed(&self, piece: &str) -> String {
        format!("{piece}\n{}", self.only("toml head"))
    }

    fn parse(&self, text: &str) -> Result<Pack, policy::PackErrors> {
        let beside = |name: &str| {
            let info = format!("csv {name}");
            let file = self.of(&info).next().map(|block| block.text.clone());
            file.ok_or_else(|| "it is not in the document".to_owned())
        };
        Pack::parse_with(FILE, text, &beside)
    }

    fn pack(&self, block: &Block) -> Pack {
        let text = self.completed(&block.text);
        self.parse(&text)
            .unwrap_or_else(|errors| panic!("the box of line {}:\n{errors}", block.line))
    }
}

#[test]
fn every_box_is_of_a_kind_that_is_run() {
    const KINDS: [&str; 12] = [
        "toml head",
        "toml fragment",
        "toml refused",
        "toml case",
        "toml explained",
        "values",
        "text",
        "explanation",
        "condition refused",
        "reserved",
        "ebnf",
        "csv rates/injury.csv",
    ];
    for block in &Document::read().blocks {
        assert!(
            KINDS.contains(&block.info.as_str()),
            "line {}: {:?} is run by no test",
            block.line,
            block.info
        );
    }
}

#[test]
fn every_piece_of_a_pack_loads_and_its_examples_hold() {
    let document = Document::read();
    let mut reasons = BTreeSet::new();
    for block in document.of("toml fragment") {
        let results: Vec<ExampleResult> = document.pack(block).run_examples();
        assert!(
            !results.is_empty(),
            "the box of line {} shows nothing",
            block.line
        );
        for result in results {
            assert!(
                result.passed,
                "line {}, {}: expected {}, found {}",
                block.line + result.line,
                result.title,
                result.expected,
                result.found
            );
        }
        let named = block
            .text
            .split("reason = \"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"'));
        reasons.extend(named.map(|(reason, _)| reason.to_owned()));
    }
    let table = rows_after(&document.text, "| reason | when |");
    let documented: BTreeSet<String> = table.iter().map(|row| unquoted(&row[0])).collect();
    // Whoever is looked at by an example is there.
    reasons.insert("not_present".to_owned());
    assert_eq!(
        documented, reasons,
        "every reason has an example, and every example's reason is explained"
    );
}

/// What expressions are evaluated in: the family, with the programme that is explained.
struct Family<'d> {
    document: &'d Document,
    programme: String,
}

impl<'d> Family<'d> {
    fn new(document: &'d Document) -> Self {
        Self {
            document,
            programme: document.only("toml explained").to_owned(),
        }
    }

    /// The pack with one more programme, of this condition.
    fn with(&self, condition: &str) -> Result<(Pack, MonthPolicy, CasePeople), String> {
        let probe = format!(
            "{}\n[[programme]]\nid = \"probe\"\ntitle = {{ vi = \"a\", en = \"a\" }}\ncite = \"c\"\nconfidence = \"S1\"\n\
             months = {{ from = \"2024-07\" }}\ndecision = false\nstop = \"at_once\"\npayee = [\"self\"]\n\
             group = \"probes\"\ncondition = \"{condition}\"\namount = \"1\"\n\
             [group.probes]\nrule = \"sum\"\ncite = \"c\"\nconfidence = \"S1\"\n",
            self.programme
        );
        let text = self.document.completed(&probe);
        let pack = self.document.parse(&text).map_err(|errors| errors.to_string())?;
        let month = MONTH.parse().unwrap();
        let known_on = "2026-06-30".parse().unwrap();
        let policy = pack.alone().0.for_month(month, known_on).unwrap();
        let case = self.document.only("toml case");
        let people = pack
            .read_case("case.toml", case, month)
            .unwrap_or_else(|errors| panic!("{errors}"));
        Ok((pack, policy, people))
    }

    /// The explanation of the mother's programme, the first of that name.
    fn explained(
        &self,
        condition: &str,
        programme: &str,
    ) -> Result<(Explanation, ProgrammeExplanation), String> {
        let (_, policy, people) = self.with(condition)?;
        let (name, explanation) = people.evaluate(&policy).swap_remove(0);
        assert_eq!(name, "mother");
        let found = explanation.programmes.iter().find(|found| found.id == programme);
        let found = found.unwrap().clone();
        Ok((explanation, found))
    }

    fn truth(&self, condition: &str) -> Result<Truth, String> {
        let (_, probe) = self.explained(condition, "probe")?;
        let state = probe.end_of_month.unwrap();
        state.qualifies.map_err(|fault| format!("{fault:?}"))
    }

    /// Whether an expression comes to what is said of it.
    fn comes_to(&self, expression: &str, value: &str) -> Result<bool, String> {
        let truth = |condition: String| self.truth(&condition);
        match value {
            "true" => return Ok(self.truth(expression)? == Truth::True),
            "false" => return Ok(self.truth(expression)? == Truth::False),
            "undetermined" => return Ok(self.truth(expression)? == Truth::Undetermined),
            _ => {}
        }
        if let Some(least) = value.strip_suffix(" or more") {
            return Ok(truth(format!("({expression}) >= {least}"))? == Truth::True
                && truth(format!("({expression}) <= {least}"))? == Truth::Undetermined
                && truth(format!("({expression}) > 999999999999"))? == Truth::Undetermined);
        }
        if let Some((least, greatest)) = value.split_once(" to ") {
            return Ok(truth(format!("({expression}) >= {least}"))? == Truth::True
                && truth(format!("({expression}) <= {greatest}"))? == Truth::True
                && truth(format!("({expression}) == {least}"))? == Truth::Undetermined
                && truth(format!("({expression}) == {greatest}"))? == Truth::Undetermined);
        }
        Ok(truth(format!("({expression}) == ({value})"))? == Truth::True)
    }
}

#[test]
fn every_expression_comes_to_what_is_said() {
    let document = Document::read();
    let family = Family::new(&document);
    let mut wrong = String::new();
    let mut count = 0;
    for block in document.of("values") {
        for (at, line) in block.text.lines().enumerate() {
            let (expression, value) = line.split_once('#').unwrap();
            let (expression, value) = (expression.trim(), value.trim());
            count += 1;
            match family.comes_to(expression, value) {
                Ok(true) => {}
                found => {
                    let _ = writeln!(
                        wrong,
                        "line {}: {expression} is not {value}: {found:?}",
                        block.line + at + 1
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 70, "only {count} values");
}

#[test]
fn every_mistake_is_shown_as_it_is_said() {
    let document = Document::read();
    let mut wrong = String::new();
    let mut shown = 0;
    for pair in document.blocks.windows(2) {
        let [mistake, message] = pair else { unreachable!() };
        let found = match mistake.info.as_str() {
            "toml refused" => document
                .parse(&document.completed(&mistake.text))
                .map_err(|errors| errors.to_string())
                .err(),
            "condition refused" => {
                let (_, policy, _) = Family::new(&document).with("true").unwrap();
                let refused = policy.predicate(mistake.text.trim_end());
                refused.map(|_| ()).map_err(|errors| errors.to_string()).err()
            }
            _ => {
                assert!(
                    message.info != "text",
                    "line {}: a message without a mistake",
                    message.line
                );
                continue;
            }
        };
        assert_eq!(message.info, "text", "line {}", message.line);
        shown += 1;
        let found = found.unwrap_or_else(|| "no mistake".to_owned());
        if found != message.text.trim_end() {
            let _ = writeln!(wrong, "line {}:\n{found}\n", message.line);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(shown >= 8);
}

fn reads(text: &mut String, reads: &[Read], figures: &[ParameterRead]) {
    for read in reads {
        let _ = writeln!(text, "    {} is {}", read.name, read.text);
    }
    for figure in figures {
        let value = &figure.value;
        let _ = writeln!(
            text,
            "    {} is {}, from {}, known from {}, by {} ({})",
            figure.name,
            value.value,
            value.dates.from,
            value.dates.known_from,
            value.source,
            value.confidence
        );
    }
}

#[test]
fn the_explanation_has_the_parts_that_are_said() {
    let document = Document::read();
    let (explanation, found) = Family::new(&document)
        .explained("false", "family_allowance")
        .unwrap();
    assert_eq!(found.choice, Choice::Paid);
    let line = explanation.outcome.lines_of(LineKind::Paid).next().unwrap();
    let mut text = format!(
        "{}: paid {}, by {} ({}), group {} by {}\n",
        found.id,
        line.amount.get(),
        found.cite,
        found.confidence,
        found.group,
        found.group_cite
    );
    let state = found.end_of_month.unwrap();
    if let Some(enrolment) = &state.enrolment {
        let _ = writeln!(text, "  decision: {}", enrolment.text);
    }
    for condition in &state.conditions {
        let (word, by) = match (&condition.excludes_by, condition.truth) {
            (None, Ok(Truth::True)) => ("holds", String::new()),
            (Some(cite), Ok(Truth::False)) => ("does not exclude", format!(", by {cite}")),
            other => panic!("{other:?}"),
        };
        let _ = writeln!(text, "  {word}: {}{by}", condition.text);
        reads(&mut text, &condition.reads, &condition.parameters);
    }
    let amount = state.amount.unwrap();
    let (least, greatest) = amount.amount.unwrap();
    assert_eq!(Some(least), greatest);
    let _ = writeln!(text, "  amount: {} = {}", amount.text, least.get());
    reads(&mut text, &amount.reads, &amount.parameters);
    assert_eq!(text, document.only("explanation"));
    assert_eq!(explanation.outcome.status, Status::Paid);
}

/// The rows of the table that has this head.
fn rows_after(text: &str, head: &str) -> Vec<Vec<String>> {
    let (_, table) = text
        .split_once(head)
        .unwrap_or_else(|| panic!("no table {head:?}"));
    table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

fn unquoted(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

#[test]
fn the_limits_are_those_of_the_engine() {
    let document = Document::read();
    let limits = BTreeMap::from([
        ("PACK_BYTES_MAX", policy::PACK_BYTES_MAX),
        ("PACK_ATTRIBUTES_MAX", policy::PACK_ATTRIBUTES_MAX),
        ("VALUES_MAX", catalogue::VALUES_MAX),
        ("PROFILE_INTEGERS_MAX", catalogue::PROFILE_INTEGERS_MAX as usize),
        ("PARAMETERS_MAX", policy::PARAMETERS_MAX),
        ("PARAMETER_VALUES_MAX", policy::PARAMETER_VALUES_MAX),
        ("TABLES_MAX", policy::TABLES_MAX),
        ("TABLE_KEYS_MAX", policy::TABLE_KEYS_MAX),
        ("TABLE_ROWS_MAX", policy::TABLE_ROWS_MAX),
        ("EDITIONS_MAX", policy::EDITIONS_MAX),
        ("DEFINITIONS_MAX", policy::DEFINITIONS_MAX),
        ("PACK_PROGRAMMES_MAX", policy::PACK_PROGRAMMES_MAX),
        ("CLAUSES_MAX", policy::CLAUSES_MAX),
        ("NESTING_MAX", policy::NESTING_MAX),
        ("EXAMPLES_MAX", policy::EXAMPLES_MAX),
        ("CASE_PEOPLE_MAX", policy::CASE_PEOPLE_MAX),
        ("EXPRESSION_BYTES_MAX", policy::EXPRESSION_BYTES_MAX),
        ("DEPTH_MAX", policy::DEPTH_MAX),
        ("EXPANSION_MAX", policy::EXPANSION_MAX),
        ("EXPANSION_DEPTH_MAX", policy::EXPANSION_DEPTH_MAX),
        ("PACK_PARTS_MAX", policy::PACK_PARTS_MAX),
        ("TABLES_BYTES_MAX", policy::TABLES_BYTES_MAX),
        ("EXAMPLE_FACTS_MAX", policy::EXAMPLE_FACTS_MAX),
        ("NAME_BYTES_MAX", catalogue::NAME_BYTES_MAX),
        ("TITLE_BYTES_MAX", catalogue::TITLE_BYTES_MAX),
        ("TEXT_BYTES_MAX", policy::TEXT_BYTES_MAX),
        ("Decimal::DIGITS_MAX", Decimal::DIGITS_MAX),
        ("Decimal::SCALE_MAX", usize::from(Decimal::SCALE_MAX)),
        ("ERRORS_MAX", policy::ERRORS_MAX),
    ]);
    let rows = rows_after(&document.text, "| what | at most | constant |");
    let documented: BTreeMap<String, usize> = rows
        .iter()
        .map(|row| (unquoted(&row[2]), row[1].replace(',', "").parse().unwrap()))
        .collect();
    let limits: BTreeMap<String, usize> = limits
        .into_iter()
        .map(|(name, max)| (name.to_owned(), max))
        .collect();
    assert_eq!(documented, limits);
}

#[test]
fn the_marks_of_confidence_are_those_of_the_engine() {
    let document = Document::read();
    let rows = rows_after(&document.text, "| mark | meaning |");
    let documented: Vec<String> = rows.iter().map(|row| unquoted(&row[0])).collect();
    assert_eq!(documented, policy::Confidence::ALL.map(|(mark, _)| mark));
}

#[test]
fn undetermined_conditions_are_joined_as_the_table_says() {
    let document = Document::read();
    let family = Family::new(&document);
    let rows = rows_after(&document.text, "| | with true | with false | with undetermined |");
    for (row, joint) in rows.iter().zip(["and", "or"]) {
        for (expected, other) in row[1..].iter().zip(["true", "false", "commune.difficult"]) {
            assert!(
                family
                    .comes_to(&format!("studying {joint} {other}"), expected)
                    .unwrap()
            );
            assert!(
                family
                    .comes_to(&format!("{other} {joint} studying"), expected)
                    .unwrap()
            );
        }
    }
    assert!(family.comes_to("not studying", &rows[2][3]).unwrap());
}

/// A section of a pack whose keys the document lists: what stands around them, and one value for each key.
struct Section {
    heading: &'static str,
    /// The keys stand in the place of `@`.
    around: &'static str,
    separator: &'static str,
    variants: &'static [Variant],
}

/// Keys that may stand together. Those that the document calls needed, and these, must be there.
struct Variant {
    needed: &'static [&'static str],
    /// Keys that bring the need of others.
    given: &'static [&'static str],
    keys: &'static [(&'static str, &'static str)],
}

const PROGRAMME: &str = "id = \"p\"\ntitle = { vi = \"a\", en = \"a\" }\ncite = \"c\"\nconfidence = \"S1\"\n\
    stop = \"at_once\"\npayee = [\"self\"]\ngroup = \"assistance\"\ncondition = \"true\"\namount = \"1\"\n";

const TITLE: (&str, &str) = ("title", "{ vi = \"a\", en = \"a\" }");
const FROM: (&str, &str) = ("from", "\"2024-07\"");
const UNTIL: (&str, &str) = ("until", "\"2030-07\"");
const KNOWN: (&str, &str) = ("known_from", "\"2024-07-01\"");
const SOURCE: (&str, &str) = ("source", "\"s\"");
const CITE: (&str, &str) = ("cite", "\"c\"");
const CONFIDENCE: (&str, &str) = ("confidence", "\"S1\"");
const VALUE: (&str, &str) = ("value", "1");

const SECTIONS: [Section; 21] = [
    Section {
        heading: "`[pack]`",
        around: "HEAD[pack]\n@",
        separator: "\n",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[
                ("id", "\"sample\""),
                ("version", "\"1\""),
                TITLE,
                ("horizon", "\"2024-07\""),
                ("dependants", "\"guardian\""),
            ],
        }],
    },
    Section {
        heading: "`[birth]`",
        around: "HEAD[birth]\n@",
        separator: "\n",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[("unknown_month", "\"january\""), SOURCE, CONFIDENCE],
        }],
    },
    Section {
        heading: "`[person.NAME]`, `[household.NAME]`, `[commune.NAME]`",
        around: "[person.x]\n@",
        separator: "\n",
        variants: &[
            Variant {
                needed: &["values", "absent"],
                given: &[],
                keys: &[
                    TITLE,
                    ("type", "\"enum\""),
                    ("values", "[\"a\", \"b\"]"),
                    ("absent", "\"a\""),
                    ("on_expiry", "\"absent\""),
                    ("keeping", "\"column\""),
                    ("labels", "{ a = { vi = \"a\", en = \"a\" } }"),
                    ("renamed_from", "\"y\""),
                ],
            },
            Variant {
                needed: &["min", "max", "absent"],
                given: &[],
                keys: &[
                    TITLE,
                    ("type", "\"integer\""),
                    ("min", "0"),
                    ("max", "10"),
                    ("absent", "\"unknown\""),
                    ("keeping", "\"profile\""),
                ],
            },
            Variant {
                needed: &[],
                given: &[],
                keys: &[TITLE, ("type", "\"person\""), ("on_expiry", "\"keep\"")],
            },
        ],
    },
    Section {
        heading: "`[define.NAME]`",
        around: "[define.x]\n@",
        separator: "\n",
        variants: &[
            Variant {
                needed: &["condition"],
                given: &[],
                keys: &[TITLE, ("condition", "\"age > 3\"")],
            },
            Variant {
                needed: &["number"],
                given: &[],
                keys: &[TITLE, ("number", "\"3\"")],
            },
        ],
    },
    Section {
        heading: "`[parameter.NAME]`",
        around: "[parameter.x]\n@",
        separator: "\n",
        variants: &[
            Variant {
                needed: &[],
                given: &[],
                keys: &[TITLE, ("unit", "\"dong\""), ("values", "[]")],
            },
            Variant {
                needed: &["rule"],
                given: &["provinces"],
                keys: &[
                    TITLE,
                    ("unit", "\"number\""),
                    ("values", "[]"),
                    ("rule", "\"instead\""),
                    (
                        "provinces",
                        "[{ in = \"01\", value = 1, from = \"2024-07\", known_from = \"2024-07-01\", source = \"s\", confidence = \"S1\" }]",
                    ),
                ],
            },
        ],
    },
    Section {
        heading: "a value",
        around: "[parameter.x]\ntitle = { vi = \"a\", en = \"a\" }\nunit = \"dong\"\nvalues = [{ @ }]",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[VALUE, FROM, UNTIL, KNOWN, SOURCE, CONFIDENCE],
        }],
    },
    Section {
        heading: "a provincial value",
        around: "[parameter.x]\ntitle = { vi = \"a\", en = \"a\" }\nunit = \"dong\"\nvalues = []\nrule = \"higher\"\nprovinces = [{ @ }]",
        separator: ", ",
        variants: &[
            Variant {
                needed: &["in"],
                given: &[],
                keys: &[("in", "\"01\""), VALUE, FROM, UNTIL, KNOWN, SOURCE, CONFIDENCE],
            },
            Variant {
                needed: &["in_former"],
                given: &[],
                keys: &[("in_former", "\"01\""), VALUE, FROM, KNOWN, SOURCE, CONFIDENCE],
            },
        ],
    },
    Section {
        heading: "`[table.NAME]`",
        around: "[table.x]\n@",
        separator: "\n",
        variants: &[Variant {
            // The file of the sample has this column, so it must be named.
            needed: &["notes"],
            given: &[],
            keys: &[
                TITLE,
                ("unit", "\"dong\""),
                ("file", "\"rates/injury.csv\""),
                ("edition", "\"edition\""),
                ("keys", "[\"kind\", \"percent\"]"),
                ("value", "\"amount\""),
                ("notes", "[\"note\"]"),
                ("editions", "[]"),
            ],
        }],
    },
    Section {
        heading: "an edition",
        around: "[table.x]\ntitle = { vi = \"a\", en = \"a\" }\nunit = \"dong\"\nfile = \"rates/injury.csv\"\nedition = \"edition\"\n\
            keys = [\"kind\", \"percent\"]\nvalue = \"amount\"\nnotes = [\"note\"]\neditions = [{ @ }]",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[("rows", "\"2024\""), FROM, UNTIL, KNOWN, SOURCE, CONFIDENCE],
        }],
    },
    Section {
        heading: "`[group.NAME]`",
        around: "[group.x]\n@",
        separator: "\n",
        variants: &[
            Variant {
                needed: &[],
                given: &[],
                keys: &[
                    ("rule", "\"highest\""),
                    ("exceptions", "[]"),
                    ("within", "\"assistance\""),
                    CITE,
                    CONFIDENCE,
                ],
            },
            Variant {
                needed: &["most"],
                given: &[],
                keys: &[("rule", "\"at_most\""), ("most", "2"), CITE, CONFIDENCE],
            },
        ],
    },
    Section {
        heading: "an exception",
        around: "[group.x]\nrule = \"highest\"\ncite = \"c\"\nconfidence = \"S1\"\nexceptions = [{ @ }]",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[("pays", "\"assistance\""), ("beside", "[\"x\"]"), CITE],
        }],
    },
    Section {
        heading: "`[[programme]]`",
        around: "[[programme]]\nid = \"q\"\ntitle = { vi = \"a\", en = \"a\" }\ncite = \"c\"\nconfidence = \"S1\"\n\
            months = { from = \"2024-07\" }\nstop = \"at_once\"\npayee = [\"self\"]\ngroup = \"assistance\"\n\
            condition = \"true\"\namount = \"1\"\n[[programme]]\n@",
        separator: "\n",
        variants: &[
            Variant {
                needed: &["stop"],
                given: &[],
                keys: &[
                    ("id", "\"p\""),
                    TITLE,
                    CITE,
                    CONFIDENCE,
                    ("months", "{ from = \"2024-07\" }"),
                    KNOWN,
                    ("decision", "true"),
                    ("earlier_decisions", "[\"q\"]"),
                    ("start", "\"month_after\""),
                    ("stop", "\"at_once\""),
                    ("payee", "[\"self\"]"),
                    ("group", "\"assistance\""),
                    ("condition", "\"true\""),
                    ("provincial", "[]"),
                    ("exclusions", "[]"),
                    ("amount", "\"1\""),
                    ("doubts", "[]"),
                ],
            },
            Variant {
                needed: &["once"],
                given: &[],
                keys: &[
                    ("id", "\"p\""),
                    TITLE,
                    CITE,
                    CONFIDENCE,
                    ("months", "{ from = \"2024-07\" }"),
                    ("once", "{ event = \"death\" }"),
                    ("payee", "[\"self\"]"),
                    ("group", "\"assistance\""),
                    ("condition", "\"true\""),
                    ("amount", "\"1\""),
                ],
            },
        ],
    },
    Section {
        heading: "`months`",
        around: "[[programme]]\nPROGRAMMEmonths = { @ }",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[FROM, UNTIL],
        }],
    },
    Section {
        heading: "`once`",
        around: "[[programme]]\nid = \"p\"\ntitle = { vi = \"a\", en = \"a\" }\ncite = \"c\"\nconfidence = \"S1\"\n\
            months = { from = \"2024-07\" }\npayee = [\"self\"]\ngroup = \"assistance\"\ncondition = \"true\"\namount = \"1\"\n\
            once = { @ }",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[("event", "\"campaign\"")],
        }],
    },
    Section {
        heading: "an exclusion",
        around: "[[programme]]\nid = \"q\"\ntitle = { vi = \"a\", en = \"a\" }\ncite = \"c\"\nconfidence = \"S1\"\n\
            months = { from = \"2024-07\" }\nstop = \"at_once\"\npayee = [\"self\"]\ngroup = \"assistance\"\n\
            condition = \"true\"\namount = \"1\"\n[[programme]]\nPROGRAMMEmonths = { from = \"2024-07\" }\nexclusions = [{ @ }]",
        separator: ", ",
        variants: &[
            Variant {
                needed: &["when"],
                given: &[],
                keys: &[("when", "\"studying\""), CITE],
            },
            Variant {
                needed: &["programme"],
                given: &[],
                keys: &[("programme", "\"q\""), CITE],
            },
        ],
    },
    Section {
        heading: "a provincial condition",
        around: "[[programme]]\nPROGRAMMEmonths = { from = \"2024-07\" }\nprovincial = [{ @ }]",
        separator: ", ",
        variants: &[
            Variant {
                needed: &["in"],
                given: &[],
                keys: &[
                    ("in", "\"01\""),
                    ("condition", "\"age > 3\""),
                    FROM,
                    UNTIL,
                    KNOWN,
                    CITE,
                    CONFIDENCE,
                ],
            },
            Variant {
                needed: &["in_former"],
                given: &[],
                keys: &[
                    ("in_former", "\"01\""),
                    ("condition", "\"age > 3\""),
                    FROM,
                    KNOWN,
                    CITE,
                    CONFIDENCE,
                ],
            },
        ],
    },
    Section {
        heading: "a doubt",
        around: "[[programme]]\nPROGRAMMEmonths = { from = \"2024-07\" }\ndoubts = [{ @ }]",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[("what", "\"w\""), SOURCE, CONFIDENCE, FROM, UNTIL, KNOWN],
        }],
    },
    Section {
        heading: "`[[example]]` with one person",
        around: "[[programme]]\nPROGRAMMEmonths = { from = \"2024-07\" }\n[[example]]\n@",
        separator: "\n",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[
                ("title", "\"t\""),
                ("month", "\"2026-06\""),
                ("known_on", "\"2026-06-30\""),
                ("campaign", "\"p\""),
                ("birth", "\"1990\""),
                ("sex", "\"male\""),
                ("person", "{ studying = true }"),
                ("household", "{ rent = 1 }"),
                ("commune", "{ difficult = true }"),
                ("province", "\"01\""),
                ("former_province", "\"01\""),
                ("enrolled", "[]"),
                ("enrolment", "{ p = \"ended\" }"),
                ("before", "{ person = { studying = false } }"),
                ("arrived", "false"),
                ("died", "false"),
                ("elsewhere", "false"),
                ("already", "false"),
                ("name", "\"n\""),
                ("expect", "{ status = \"zero\" }"),
            ],
        }],
    },
    Section {
        heading: "`[[example]]` with several people",
        around: "[[programme]]\nPROGRAMMEmonths = { from = \"2024-07\" }\n[[example]]\n@",
        separator: "\n",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[
                ("title", "\"t\""),
                ("month", "\"2026-06\""),
                ("known_on", "\"2026-06-30\""),
                ("campaign", "\"p\""),
                ("household", "{ rent = 1 }"),
                ("commune", "{ difficult = true }"),
                ("province", "\"01\""),
                ("former_province", "\"01\""),
                ("before", "{ household = { rent = 2 } }"),
                (
                    "people",
                    "[{ name = \"n\", birth = \"1990\", expect = { status = \"zero\" } }]",
                ),
            ],
        }],
    },
    Section {
        heading: "`before`",
        around: "[[programme]]\nPROGRAMMEmonths = { from = \"2024-07\" }\n[[example]]\ntitle = \"t\"\nmonth = \"2026-06\"\nbirth = \"1990\"\n\
            expect = { status = \"zero\" }\nbefore = { @ }",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[
                ("person", "{ studying = true }"),
                ("household", "{ rent = 1 }"),
                ("commune", "{ difficult = true }"),
                ("province", "\"01\""),
                ("former_province", "\"01\""),
                ("enrolled", "[]"),
                ("enrolment", "{ p = \"ended\" }"),
            ],
        }],
    },
    Section {
        heading: "`expect`",
        around: "[[programme]]\nPROGRAMMEmonths = { from = \"2024-07\" }\n[[example]]\ntitle = \"t\"\nmonth = \"2026-06\"\nbirth = \"1990\"\n\
            expect = { @ }",
        separator: ", ",
        variants: &[Variant {
            needed: &[],
            given: &[],
            keys: &[
                ("status", "\"zero\""),
                ("paid", "{ p = 1 }"),
                ("held", "{ p = 1 }"),
                ("error", "[\"p\"]"),
                ("basis", "\"end_of_month\""),
                ("reason", "\"entitled\""),
                ("programme", "\"p\""),
            ],
        }],
    },
];

impl Section {
    fn load(&self, document: &Document, keys: &[(&str, &str)]) -> Result<Pack, policy::PackErrors> {
        let keys: Vec<String> = keys
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        let piece = self
            .around
            .replace('@', &keys.join(self.separator))
            .replace("PROGRAMME", PROGRAMME);
        let Some(piece) = piece.strip_prefix("HEAD") else {
            return document.parse(&document.completed(&piece));
        };
        // The section is one of the sample itself, whose own it replaces.
        let name = &piece[..=piece.find(']').unwrap_or_default()];
        let head = document.only("toml head");
        let start = head.find(name).unwrap();
        let rest = &head[start..];
        let end = rest.find("\n\n").unwrap_or(rest.len());
        document.parse(&format!("{piece}\n{}{}", &head[..start], &rest[end..]))
    }

    /// Checks what the document says of the keys, and gives those that the engine asks for.
    fn check(&self, document: &Document, variant: &Variant, needed: &BTreeSet<String>) -> BTreeSet<String> {
        let is_needed = |key: &str| needed.contains(key) || variant.needed.contains(&key);
        let least: Vec<(&str, &str)> = variant
            .keys
            .iter()
            .copied()
            .filter(|(key, _)| is_needed(key) || variant.given.contains(key))
            .collect();
        for keys in [variant.keys, &least] {
            if let Err(errors) = self.load(document, keys) {
                panic!("keys of {}: {keys:?}\n{errors}", self.heading);
            }
        }
        for without in 0..least.len() {
            let mut keys = least.clone();
            let (removed, _) = keys.remove(without);
            if !is_needed(removed) {
                continue;
            }
            let refused = self.load(document, &keys).is_err();
            assert!(refused, "keys of {}: {removed} is not needed", self.heading);
        }
        let mut keys = variant.keys.to_vec();
        keys.push(("zzzz", "1"));
        let shown = self.load(document, &keys).unwrap_err().to_string();
        let (_, list) = shown
            .split_once("the key \"zzzz\" is not known here; expected one of ")
            .unwrap_or_else(|| panic!("{shown}"));
        let list = list.lines().next().unwrap_or_default();
        list.split(", ").map(str::to_owned).collect()
    }
}

#[test]
fn the_keys_are_those_that_are_read() {
    let document = Document::read();
    let headings: BTreeSet<&str> = document
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("#### Keys of "))
        .collect();
    let sections: BTreeSet<&str> = SECTIONS.iter().map(|section| section.heading).collect();
    assert_eq!(headings, sections);
    for section in &SECTIONS {
        let (_, after) = document
            .text
            .split_once(&format!("#### Keys of {}\n", section.heading))
            .unwrap();
        let rows = rows_after(after, "| key | value | needed | meaning |");
        let documented: BTreeSet<String> = rows.iter().map(|row| unquoted(&row[0])).collect();
        let needed = rows.iter().filter(|row| row[2] == "yes");
        let needed: BTreeSet<String> = needed.map(|row| unquoted(&row[0])).collect();
        let mut asked = BTreeSet::new();
        for variant in section.variants {
            asked.extend(section.check(&document, variant, &needed));
        }
        assert_eq!(documented, asked, "keys of {}", section.heading);
    }
}
