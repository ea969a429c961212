//! Every construct of the language, in both languages.

use super::*;
use crate::policy::expr::check::{self, Source};
use crate::policy::expr::parse::parse;
use crate::policy::{Explanation, Pack, ProgrammeExplanation};

const PACK: &str = r#"
[pack]
id = "test"
version = "1"
title = { vi = "Thử", en = "Test" }
dependants = "guardian"

[birth]
unknown_month = "undetermined"
source = "none"
confidence = "S1"

[person.disability]
title = { vi = "Mức độ khuyết tật", en = "Degree of disability" }
type = "enum"
values = ["none", "light", "severe", "extremely_severe"]
labels = { light = { vi = "nhẹ", en = "light" }, severe = { vi = "nặng", en = "severe" }, extremely_severe = { vi = "đặc biệt nặng", en = "extremely severe" } }
absent = "none"

[person.pregnant]
title = { vi = "Đang mang thai", en = "Pregnant" }
type = "bool"
absent = false

[person.hiv]
title = { vi = "Nhiễm HIV/AIDS", en = "Living with HIV" }
type = "bool"
absent = false

[person.percent]
title = { vi = "Tỷ lệ tổn thương cơ thể", en = "Percentage of injury" }
type = "integer"
min = 0
max = 100
absent = 0
keeping = "profile"

[person.income]
title = { vi = "Thu nhập hằng tháng", en = "Monthly income" }
type = "money"
absent = 0

[person.since]
title = { vi = "Ngày nhận việc", en = "Day of employment" }
type = "date"
absent = "2020-01-01"

[person.guardian]
title = { vi = "Người giám hộ", en = "Guardian" }
type = "person"

[household.poverty]
title = { vi = "Diện hộ", en = "Status of the household" }
type = "enum"
values = ["not_poor", "near_poor", "poor"]
labels = { not_poor = { vi = "không nghèo", en = "not poor" }, near_poor = { vi = "cận nghèo", en = "near-poor" }, poor = { vi = "nghèo", en = "poor" } }
absent = "not_poor"

[commune.difficult]
title = { vi = "Xã đặc biệt khó khăn", en = "Especially difficult commune" }
type = "bool"
absent = false

[define.child]
title = { vi = "Trẻ em dưới 16 tuổi", en = "Child under 16" }
condition = "age < 16"

[define.coefficient]
title = { vi = "Hệ số", en = "Coefficient" }
number = "case age { under 4 => 2.5, else 1.5 }"

[parameter.base]
title = { vi = "Mức chuẩn trợ giúp xã hội", en = "Base level of social assistance" }
unit = "dong"
values = [ { value = 500000, from = "2020-01", known_from = "2020-01-01", source = "Decree 76/2024/NĐ-CP, Art. 1", confidence = "S2" } ]

[parameter.limit]
title = { vi = "Tuổi", en = "Age limit" }
unit = "number"
values = [ { value = 60, from = "2020-01", known_from = "2020-01-01", source = "Law 1/2020/QH, Art. 2", confidence = "S1" } ]

[table.rates]
title = { vi = "Phụ lục I", en = "Annex I" }
unit = "dong"
file = "rates.csv"
edition = "decree"
keys = ["kind", "percent"]
value = "monthly"
editions = [ { rows = "a", from = "2020-01", known_from = "2020-01-01", source = "Decree 1/2020/NĐ-CP, Annex I", confidence = "S1" } ]

[group.assistance]
rule = "highest"
exceptions = [ { pays = "parent", beside = ["disability"], cite = "Decree 20/2021/NĐ-CP, Art. 6(3)" } ]
cite = "Decree 20/2021/NĐ-CP, Art. 6(2)"
confidence = "S1"

[group.merit]
rule = "at_most"
most = 2
within = "assistance"
cite = "Ordinance 2/2020/UBTVQH, Art. 6"
confidence = "S1"

[group.extra]
rule = "sum"
cite = "Decree 20/2021/NĐ-CP, Art. 20"
confidence = "S1"
"#;

const CSV: &str = "decree,kind,percent,monthly\na,soldier,41,2000000\na,soldier,42,2100000\n";

fn programme(id: &str, vi: &str, en: &str, group: &str, rule: &str) -> String {
    format!(
        "[[programme]]\nid = \"{id}\"\ntitle = {{ vi = \"{vi}\", en = \"{en}\" }}\ncite = \"Decree 20/2021/NĐ-CP, Art. 5(1)\"\nconfidence = \"S1\"\nmonths = {{ from = \"2020-01\" }}\nstop = \"at_once\"\npayee = [\"self\"]\ngroup = \"{group}\"\n{rule}\n"
    )
}

fn pack() -> Pack {
    let programmes = [
        programme(
            "disability",
            "Trợ cấp người khuyết tật",
            "Disability allowance",
            "assistance",
            "decision = true\ncondition = \"disability in [severe, extremely_severe]\"\namount = \"param.base * case disability { severe => 1.5, else 2.0 }\"\nexclusions = [{ when = \"pregnant\", cite = \"Law 51/2010/QH12, Art. 51\" }]\nprovincial = [{ in = \"01\", condition = \"disability == light\", from = \"2020-01\", known_from = \"2020-01-01\", cite = \"Resolution 1/2020/NQ-HĐND, Art. 2\", confidence = \"S1\" }]",
        ),
        programme(
            "parent",
            "Trợ cấp đơn thân",
            "Allowance of a single parent",
            "assistance",
            "decision = false\ncondition = \"dependants.count(child) >= 1\"\namount = \"param.base * dependants.count(child)\"",
        ),
        programme(
            "hiv_poor",
            "Trợ cấp người nhiễm HIV",
            "Allowance with HIV",
            "assistance",
            "decision = false\ncondition = \"hiv\"\namount = \"param.base\"",
        ),
        programme(
            "soldier",
            "Trợ cấp thương binh",
            "Allowance of a war invalid",
            "merit",
            "decision = false\ncondition = \"percent >= 41\"\namount = \"case percent { from 41 => table.rates(soldier, percent), else 0 }\"",
        ),
        programme(
            "nurse",
            "Trợ cấp người phục vụ",
            "Allowance of a carer",
            "merit",
            "decision = false\ncondition = \"percent >= 41\"\namount = \"round(param.base / 3, 1000)\"",
        ),
        programme(
            "extra",
            "Hỗ trợ thêm",
            "Extra support",
            "extra",
            "decision = false\ncondition = \"age < 90\"\namount = \"max(param.base - 100000, 0) + min(income, 1000)\"\nexclusions = [{ programme = \"hiv_poor\", cite = \"Decree 1/2020/NĐ-CP, Art. 3\" }]",
        ),
    ];
    let text = format!("{PACK}\n{}", programmes.concat());
    let beside = |_: &str| Ok(CSV.to_owned());
    Pack::parse_with("test.toml", &text, &beside).unwrap_or_else(|errors| panic!("{errors}"))
}

fn source<'a>(tree: &'a crate::policy::expr::parse::Tree, text: &'a str, pack: &'a Pack) -> Source<'a> {
    Source {
        tree,
        text,
        scope: &pack.0.scope,
        room: None,
    }
}

/// A condition in Vietnamese and in English.
fn condition(pack: &Pack, text: &str) -> [String; 2] {
    let tree = parse(text).unwrap();
    let mut problems = Vec::new();
    let condition = check::condition(&source(&tree, text, pack), &mut problems);
    let condition = condition.unwrap_or_else(|| panic!("{text}: {problems:?}"));
    [Lang::Vi, Lang::En].map(|lang| Writer { pack: &pack.0, lang }.condition(&condition))
}

fn number(pack: &Pack, text: &str) -> [String; 2] {
    let tree = parse(text).unwrap();
    let mut problems = Vec::new();
    let number = check::number(&source(&tree, text, pack), &mut problems);
    let number = number.unwrap_or_else(|| panic!("{text}: {problems:?}"));
    [Lang::Vi, Lang::En].map(|lang| Writer { pack: &pack.0, lang }.number(&number))
}

#[test]
fn every_form_of_condition_is_said_in_both_languages() {
    let pack = pack();
    for (text, vi, en) in [
        ("true", "luôn đúng", "always"),
        ("false", "không bao giờ", "never"),
        ("age >= 80", "từ đủ 80 tuổi", "80 years of age or more"),
        ("age < 16", "dưới 16 tuổi", "under 16 years of age"),
        ("16 > age", "dưới 16 tuổi", "under 16 years of age"),
        ("age > 60", "từ đủ 61 tuổi", "61 years of age or more"),
        ("age <= 22", "dưới 23 tuổi", "under 23 years of age"),
        ("age == 18", "18 tuổi", "18 years of age"),
        ("age != 18", "không phải 18 tuổi", "not 18 years of age"),
        ("age_months < 36", "dưới 36 tháng tuổi", "under 36 months of age"),
        (
            "age >= 16 and age < 22",
            "từ đủ 16 tuổi đến dưới 22 tuổi",
            "from 16 to under 22 years of age",
        ),
        (
            "age >= param.limit",
            "số tuổi: từ tuổi trở lên",
            "age in years: age limit or more",
        ),
        ("child", "trẻ em dưới 16 tuổi", "child under 16"),
        ("pregnant", "đang mang thai", "pregnant"),
        (
            "not pregnant",
            "không thuộc trường hợp: đang mang thai",
            "not the case: pregnant",
        ),
        ("hiv", "nhiễm HIV/AIDS", "living with HIV"),
        (
            "commune.difficult",
            "xã đặc biệt khó khăn",
            "especially difficult commune",
        ),
        (
            "disability in [severe, extremely_severe]",
            "mức độ khuyết tật: nặng hoặc đặc biệt nặng",
            "degree of disability: severe or extremely severe",
        ),
        (
            "household.poverty == poor",
            "diện hộ: nghèo",
            "status of the household: poor",
        ),
        (
            "household.poverty != poor",
            "diện hộ: không nghèo hoặc cận nghèo",
            "status of the household: not poor or near-poor",
        ),
        (
            "disability not in [none]",
            "mức độ khuyết tật: nhẹ, nặng hoặc đặc biệt nặng",
            "degree of disability: light, severe or extremely severe",
        ),
        ("sex == female", "giới tính: nữ", "sex: female"),
        (
            "enrolment.disability == active",
            "quyết định hưởng “Trợ cấp người khuyết tật”: đang hưởng",
            "decision on “Disability allowance”: in force",
        ),
        (
            "enrolment.disability in [suspended, ended]",
            "quyết định hưởng “Trợ cấp người khuyết tật”: tạm dừng hoặc đã thôi hưởng",
            "decision on “Disability allowance”: suspended or ended",
        ),
        (
            "province == 01",
            "cư trú tại tỉnh, thành phố mã số 01",
            "lives in the province of code 01",
        ),
        (
            "former_province in [30, 31]",
            "cư trú tại địa bàn tỉnh, thành phố trước ngày 01/07/2025 mã số 30 hoặc 31",
            "lives where before 2025-07-01 was the province of code 30 or 31",
        ),
        (
            "percent >= 41",
            "tỷ lệ tổn thương cơ thể: từ 41 trở lên",
            "percentage of injury: 41 or more",
        ),
        (
            "percent in [1, 7]",
            "tỷ lệ tổn thương cơ thể: 1 hoặc 7",
            "percentage of injury: 1 or 7",
        ),
        (
            "income < 1500000",
            "thu nhập hằng tháng: dưới 1.500.000 đ",
            "monthly income: less than 1,500,000 đ",
        ),
        (
            "income <= 0.6 * param.base",
            "thu nhập hằng tháng: không quá 0,6 × mức chuẩn trợ giúp xã hội",
            "monthly income: at most 0.6 × base level of social assistance",
        ),
        (
            "income > 5",
            "thu nhập hằng tháng: trên 5 đ",
            "monthly income: more than 5 đ",
        ),
        (
            "percent == 5",
            "tỷ lệ tổn thương cơ thể: bằng 5",
            "percentage of injury: equal to 5",
        ),
        (
            "percent != 5",
            "tỷ lệ tổn thương cơ thể: khác 5",
            "percentage of injury: other than 5",
        ),
        (
            "since < 2021-10-01",
            "ngày nhận việc: trước ngày 01/10/2021",
            "day of employment: before 2021-10-01",
        ),
        (
            "2021-10-01 <= since",
            "ngày nhận việc: từ ngày 01/10/2021",
            "day of employment: not earlier than 2021-10-01",
        ),
        (
            "since <= 2021-10-01",
            "ngày nhận việc: đến hết ngày 01/10/2021",
            "day of employment: not later than 2021-10-01",
        ),
        (
            "since > 2021-10-01",
            "ngày nhận việc: sau ngày 01/10/2021",
            "day of employment: after 2021-10-01",
        ),
        (
            "since == 2021-10-01",
            "ngày nhận việc: đúng ngày 01/10/2021",
            "day of employment: on 2021-10-01",
        ),
        (
            "since != 2021-10-01",
            "ngày nhận việc: không phải ngày 01/10/2021",
            "day of employment: not on 2021-10-01",
        ),
        (
            "pregnant or child and hiv",
            "đang mang thai; hoặc (trẻ em dưới 16 tuổi; và nhiễm HIV/AIDS)",
            "pregnant; or (child under 16; and living with HIV)",
        ),
        (
            "pregnant == hiv",
            "cùng đúng hoặc cùng sai: (đang mang thai) và (nhiễm HIV/AIDS)",
            "both or neither: (pregnant) and (living with HIV)",
        ),
        (
            "case { child => pregnant, else hiv }",
            "nếu trẻ em dưới 16 tuổi thì đang mang thai; còn lại: nhiễm HIV/AIDS",
            "if child under 16: pregnant; otherwise: living with HIV",
        ),
        (
            "case age { under 4 => hiv, else pregnant }",
            "nếu dưới 4 tuổi thì nhiễm HIV/AIDS; nếu từ đủ 4 tuổi thì đang mang thai",
            "if under 4 years of age: living with HIV; if 4 years of age or more: pregnant",
        ),
        (
            "dependants.count(age < 16) > 0",
            "có ít nhất một người mà người này là người giám hộ: dưới 16 tuổi",
            "at least one of the people whose guardian is this person: under 16 years of age",
        ),
        (
            "household.count(pregnant) == 0",
            "không có người trong hộ: đang mang thai",
            "none of the people of the household: pregnant",
        ),
        (
            "household.count(child) >= 2",
            "số người trong hộ (trẻ em dưới 16 tuổi): từ 2 trở lên",
            "number of people of the household (child under 16): 2 or more",
        ),
        (
            "household.any(pregnant)",
            "có ít nhất một người trong hộ: đang mang thai",
            "at least one of the people of the household: pregnant",
        ),
        (
            "household.all(child)",
            "mọi người trong hộ: trẻ em dưới 16 tuổi",
            "all people of the household: child under 16",
        ),
        (
            "guardian.any(age >= 60)",
            "người giám hộ: từ đủ 60 tuổi",
            "guardian: 60 years of age or more",
        ),
        (
            "guardian.all(child)",
            "người giám hộ (nếu có): trẻ em dưới 16 tuổi",
            "guardian (if any): child under 16",
        ),
    ] {
        assert_eq!(condition(&pack, text), [vi.to_owned(), en.to_owned()], "{text}");
    }
}

#[test]
fn every_form_of_number_is_said_in_both_languages() {
    let pack = pack();
    for (text, vi, en) in [
        ("100000", "100.000", "100,000"),
        (
            "param.base",
            "mức chuẩn trợ giúp xã hội",
            "base level of social assistance",
        ),
        (
            "param.base * 1.5",
            "mức chuẩn trợ giúp xã hội × 1,5",
            "base level of social assistance × 1.5",
        ),
        (
            "param.base * case age { under 4 => 2.5, 4 to 15 => 1.5, else 0 }",
            "mức chuẩn trợ giúp xã hội × (2,5 nếu dưới 4 tuổi; 1,5 nếu từ đủ 4 tuổi đến dưới 16 tuổi; 0 nếu từ đủ 16 tuổi)",
            "base level of social assistance × (2.5 if under 4 years of age; 1.5 if from 4 to under 16 years of age; 0 if 16 years of age or more)",
        ),
        (
            "param.base * case disability { severe => 1.5, extremely_severe => 2, else 0 }",
            "mức chuẩn trợ giúp xã hội × (1,5 nếu mức độ khuyết tật: nặng; 2 nếu mức độ khuyết tật: đặc biệt nặng; còn lại 0)",
            "base level of social assistance × (1.5 if degree of disability: severe; 2 if degree of disability: extremely severe; otherwise 0)",
        ),
        (
            "case percent { 41 to 50 => 1, from 51 => 2, else 0 }",
            "0 nếu tỷ lệ tổn thương cơ thể: dưới 41; 1 nếu tỷ lệ tổn thương cơ thể: từ 41 đến 50; 2 nếu tỷ lệ tổn thương cơ thể: từ 51 trở lên",
            "0 if percentage of injury: under 41; 1 if percentage of injury: from 41 to 50; 2 if percentage of injury: 51 or more",
        ),
        (
            "case income { under 1500000 => 2, under 2000000 => 1, else 0 }",
            "2 nếu thu nhập hằng tháng: dưới 1.500.000 đ; 1 nếu thu nhập hằng tháng: từ 1.500.000 đ đến dưới 2.000.000 đ; 0 nếu thu nhập hằng tháng: từ 2.000.000 đ trở lên",
            "2 if monthly income: under 1,500,000 đ; 1 if monthly income: from 1,500,000 đ to under 2,000,000 đ; 0 if monthly income: 2,000,000 đ or more",
        ),
        (
            "param.base * coefficient",
            "mức chuẩn trợ giúp xã hội × hệ số",
            "base level of social assistance × coefficient",
        ),
        (
            "2 * (param.base - 100000)",
            "2 × (mức chuẩn trợ giúp xã hội − 100.000 đ)",
            "2 × (base level of social assistance − 100,000 đ)",
        ),
        (
            "-percent + 1",
            "−tỷ lệ tổn thương cơ thể + 1",
            "−percentage of injury + 1",
        ),
        (
            "min(income, 500) + max(param.base, 7)",
            "mức thấp nhất trong (thu nhập hằng tháng; 500 đ) + mức cao nhất trong (mức chuẩn trợ giúp xã hội; 7 đ)",
            "the least of (monthly income; 500 đ) + the greatest of (base level of social assistance; 7 đ)",
        ),
        (
            "clamp(income, 1, 9)",
            "mức thấp nhất trong (mức cao nhất trong (thu nhập hằng tháng; 1 đ); 9 đ)",
            "the least of (the greatest of (monthly income; 1 đ); 9 đ)",
        ),
        (
            "round(param.base / 3, 1000)",
            "(mức chuẩn trợ giúp xã hội chia cho 3, làm tròn đến 1.000 đ)",
            "(base level of social assistance divided by 3, rounded to 1,000 đ)",
        ),
        (
            "round_up(param.base * 0.3, 500)",
            "(mức chuẩn trợ giúp xã hội × 0,3, làm tròn lên đến 500 đ)",
            "(base level of social assistance × 0.3, rounded up to 500 đ)",
        ),
        (
            "round_down(percent, 10)",
            "(tỷ lệ tổn thương cơ thể, làm tròn xuống đến 10)",
            "(percentage of injury, rounded down to 10)",
        ),
        (
            "dependants.count(child)",
            "số người mà người này là người giám hộ (trẻ em dưới 16 tuổi)",
            "number of people whose guardian is this person (child under 16)",
        ),
        (
            "household.count(true)",
            "số người trong hộ",
            "number of people of the household",
        ),
        (
            "household.sum(income)",
            "tổng theo từng người trong hộ (thu nhập hằng tháng)",
            "sum over the people of the household (monthly income)",
        ),
        (
            "guardian.count(child)",
            "số người giám hộ (trẻ em dưới 16 tuổi)",
            "number of guardian (child under 16)",
        ),
        (
            "table.rates(soldier, percent)",
            "phụ lục I, dòng soldier, tỷ lệ tổn thương cơ thể",
            "Annex I, row soldier, percentage of injury",
        ),
        (
            "age + age_months",
            "số tuổi + số tháng tuổi",
            "age in years + age in months",
        ),
    ] {
        assert_eq!(number(&pack, text), [vi.to_owned(), en.to_owned()], "{text}");
    }
}

/// The explanations of the people of a case.
fn explain(pack: &Pack, case: &str) -> (Policy, Vec<Explanation>) {
    let (policy, _) = pack.alone();
    let month = policy
        .for_month("2026-06".parse().unwrap(), "2026-06-30".parse().unwrap())
        .unwrap();
    let people = pack
        .read_case("case.toml", case, month.month())
        .unwrap_or_else(|errors| panic!("{errors}"));
    let explained = people
        .evaluate(&month)
        .into_iter()
        .map(|(_, explanation)| explanation)
        .collect();
    (policy, explained)
}

fn of<'e>(explanation: &'e Explanation, id: &str) -> &'e ProgrammeExplanation {
    explanation
        .programmes
        .iter()
        .find(|programme| programme.id == id)
        .unwrap()
}

fn amount_of<'e>(explanation: &'e Explanation, id: &str) -> &'e AmountExplanation {
    let state = of(explanation, id).end_of_month.as_ref().unwrap();
    state.amount.as_ref().unwrap()
}

const FAMILY: &str = r#"
province = "01"
people = [
  { name = "mother", birth = "1990-05-17", person = { disability = "severe", percent = 41, income = 700 }, enrolled = ["disability"] },
  { name = "child", birth = "2020-01-02", person = { guardian = "mother" } },
]
"#;

#[test]
fn amounts_are_worked_out_in_titles_and_in_numbers() {
    let (policy, explained) = explain(&pack(), FAMILY);
    let words = Words::new(&policy, Lang::Vi);
    for (id, titles, numbers) in [
        (
            "disability",
            "mức chuẩn trợ giúp xã hội × 1,5",
            "500.000 đ × 1,5 = 750.000 đ",
        ),
        (
            "parent",
            "mức chuẩn trợ giúp xã hội × số người mà người này là người giám hộ (trẻ em dưới 16 tuổi)",
            "500.000 đ × 1 = 500.000 đ",
        ),
        ("soldier", "phụ lục I, dòng soldier, 41", "2.000.000 đ"),
        (
            "nurse",
            "(mức chuẩn trợ giúp xã hội chia cho 3, làm tròn đến 1.000 đ)",
            "(500.000 đ chia cho 3, làm tròn đến 1.000 đ) = 167.000 đ",
        ),
        (
            "extra",
            "mức cao nhất trong (mức chuẩn trợ giúp xã hội − 100.000 đ; 0 đ) + mức thấp nhất trong (thu nhập hằng tháng; 1.000 đ)",
            "mức cao nhất trong (500.000 đ − 100.000 đ; 0 đ) + mức thấp nhất trong (700 đ; 1.000 đ) = 400.700 đ",
        ),
    ] {
        let amount = amount_of(&explained[0], id);
        let number = of(&explained[0], id).number;
        assert_eq!(words.amount(number, amount), titles, "{id}");
        assert_eq!(words.calculation(amount).as_deref(), Some(numbers), "{id}");
    }
    let figure = &amount_of(&explained[0], "disability").parameters[0];
    assert_eq!(
        words.figure(figure),
        "Mức chuẩn trợ giúp xã hội: 500.000 đ, áp dụng từ tháng 01/2020; Điều 1 Nghị định 76/2024/NĐ-CP [S2]"
    );
}

#[test]
fn an_amount_that_is_open_is_said_with_all_its_cases() {
    let case = "birth = \"1930-05-17\"\nperson = { disability = \"unknown\" }\nenrolled = [\"disability\"]";
    let (policy, explained) = explain(&pack(), case);
    let words = Words::new(&policy, Lang::En);
    let amount = amount_of(&explained[0], "disability");
    assert_eq!((&amount.working, words.calculation(amount)), (&None, None));
    assert_eq!(
        words.amount(of(&explained[0], "disability").number, amount),
        "base level of social assistance × (1.5 if degree of disability: severe; otherwise 2)"
    );
    assert_eq!(words.came_to(amount), "750,000 đ to 1,000,000 đ");
    let line = &explained[0].outcome.lines[0];
    assert_eq!(words.line(line), "held, because not known: degree of disability");
    assert_eq!(
        words.reason(&explained[0].outcome.reason),
        "undetermined, because something is not known"
    );
}

#[test]
fn what_was_read_is_told_with_its_value() {
    let (policy, explained) = explain(&pack(), FAMILY);
    let words = Words::new(&policy, Lang::Vi);
    let state = of(&explained[0], "parent").end_of_month.as_ref().unwrap();
    let read = &state.conditions[0].reads[0];
    let group = read.group.as_ref().unwrap();
    assert_eq!((group.size, group.people.len(), group.people[0].get()), (1, 1, 2));
    assert_eq!(
        words.read(read),
        (
            "số người mà người này là người giám hộ (trẻ em dưới 16 tuổi)".to_owned(),
            "1 (xét 1 người)".to_owned()
        )
    );
    let state = of(&explained[0], "disability").end_of_month.as_ref().unwrap();
    let told: Vec<_> = state
        .conditions
        .iter()
        .map(|condition| words.condition(condition))
        .collect();
    assert_eq!(
        told,
        [
            "mức độ khuyết tật: nặng hoặc đặc biệt nặng",
            "hoặc, tại tỉnh, thành phố mã số 01: mức độ khuyết tật: nhẹ",
            "đang mang thai"
        ]
    );
    assert_eq!(
        words.read(&state.conditions[0].reads[0]),
        ("mức độ khuyết tật".to_owned(), "nặng".to_owned())
    );
    assert_eq!(words.truth(state.conditions[2].truth), "không");
    let extra = of(&explained[1], "extra").end_of_month.as_ref().unwrap();
    assert_eq!(
        words.read(&extra.conditions[0].reads[0]),
        ("tuổi".to_owned(), "6 tuổi".to_owned())
    );
    assert_eq!(
        words.condition(&extra.conditions[1]),
        "được hưởng “Trợ cấp người nhiễm HIV”"
    );
}

#[test]
fn what_is_paid_of_several_is_told_with_the_rule() {
    let (policy, explained) = explain(&pack(), FAMILY);
    let told = |lang| -> Vec<String> {
        let words = Words::new(&policy, lang);
        let groups = explained[0].groups.iter();
        groups.flat_map(|group| words.combination(group)).collect()
    };
    assert_eq!(
        told(Lang::Vi),
        [
            "theo Điều 6 Pháp lệnh 2/2020/UBTVQH, hưởng tối đa 2 mức, lấy các mức cao nhất: “Trợ cấp thương binh” 2.000.000 đ và “Trợ cấp người phục vụ” 167.000 đ",
            "theo khoản 2 Điều 6 Nghị định 20/2021/NĐ-CP, chỉ hưởng mức cao nhất: tổng của “Trợ cấp thương binh” và “Trợ cấp người phục vụ” 2.167.000 đ; không hưởng: “Trợ cấp người khuyết tật” 750.000 đ, “Trợ cấp đơn thân” 500.000 đ",
            "theo Điều 20 Nghị định 20/2021/NĐ-CP, các mức được hưởng đồng thời: “Hỗ trợ thêm” 400.700 đ",
        ]
    );
    assert_eq!(
        told(Lang::En)[1],
        "under Decree 20/2021/NĐ-CP, Art. 6(2), only the highest is paid: the total of “Allowance of a war invalid” and “Allowance of a carer” 2,167,000 đ; not paid: “Disability allowance” 750,000 đ, “Allowance of a single parent” 500,000 đ"
    );
    let without_merit = FAMILY.replace("percent = 41, ", "");
    let (policy, explained) = explain(&pack(), &without_merit);
    let words = Words::new(&policy, Lang::Vi);
    assert_eq!(
        words.combination(&explained[0].groups[0]),
        [
            "theo khoản 2 Điều 6 Nghị định 20/2021/NĐ-CP, chỉ hưởng mức cao nhất, trừ trường hợp được hưởng đồng thời theo khoản 3 Điều 6 Nghị định 20/2021/NĐ-CP: “Trợ cấp người khuyết tật” 750.000 đ và “Trợ cấp đơn thân” 500.000 đ"
        ]
    );
}

#[test]
fn what_is_hidden_appears_nowhere() {
    let case = "birth = \"1990-05-17\"\nperson = { hiv = true }";
    let (policy, explained) = explain(&pack(), case);
    let words = Words::new(&policy, Lang::En).hiding(|name| name.split(['.', '_']).any(|word| word == "hiv"));
    // A programme that asks for what is withheld is withheld, whatever its name.
    let by_fact = Words::new(&policy, Lang::En).hiding(|name| name == "hiv");
    assert!(by_fact.hides_programme(of(&explained[0], "hiv_poor").number));
    let mut told = Vec::new();
    for programme in &explained[0].programmes {
        told.push(words.programme(programme.number));
        let state = programme.end_of_month.as_ref().unwrap();
        for condition in &state.conditions {
            told.push(words.condition(condition));
            told.extend(condition.reads.iter().map(|read| words.read(read).1));
        }
    }
    told.extend(
        explained[0]
            .groups
            .iter()
            .flat_map(|group| words.combination(group)),
    );
    told.push(words.reason(&explained[0].outcome.reason));
    let told = told.join("\n");
    assert!(!told.contains("HIV") && told.contains("withheld"), "{told}");
    let open = Words::new(&policy, Lang::En);
    assert_eq!(
        open.programme(of(&explained[0], "hiv_poor").number),
        "Allowance with HIV"
    );
}

#[test]
fn every_reason_is_said_in_both_languages() {
    let (policy, catalogue) = pack().alone();
    let p = catalogue.programme("disability").unwrap().number;
    let q = catalogue.programme("parent").unwrap().number;
    let by = catalogue
        .attribute(crate::kernel::catalogue::SubjectKind::Person, "pregnant")
        .unwrap()
        .number;
    for (reason, vi, en) in [
        (Reason::Entitled, "đủ điều kiện hưởng", "entitled"),
        (
            Reason::Fault(Fault::NoRow),
            "không tính được: bảng mức hưởng không có dòng tương ứng",
            "could not be worked out: the table has no row for these values",
        ),
        (
            Reason::NotPresent,
            "đã chết hoặc không cư trú tại địa bàn quản lý trong tháng",
            "not alive and present in the month",
        ),
        (
            Reason::Suspended(p),
            "quyết định hưởng “Trợ cấp người khuyết tật” đang tạm dừng",
            "the decision on “Disability allowance” is suspended",
        ),
        (
            Reason::NothingDue(p),
            "đủ điều kiện hưởng “Trợ cấp người khuyết tật” nhưng mức hưởng bằng 0",
            "entitled to “Disability allowance”, but the amount is zero",
        ),
        (
            Reason::NotEnrolled(p),
            "đủ điều kiện nhưng chưa có quyết định hưởng “Trợ cấp người khuyết tật”",
            "qualifies for “Disability allowance”, but there is no decision",
        ),
        (
            Reason::Excluded(p, by),
            "không được hưởng “Trợ cấp người khuyết tật” vì thuộc trường hợp loại trừ: đang mang thai",
            "excluded from “Disability allowance” by: pregnant",
        ),
        (
            Reason::ExcludedByProgramme(p, q),
            "không được hưởng “Trợ cấp người khuyết tật” vì được hưởng “Trợ cấp đơn thân”",
            "excluded from “Disability allowance” by being entitled to “Allowance of a single parent”",
        ),
        (
            Reason::NoLongerQualifies(p),
            "có quyết định hưởng “Trợ cấp người khuyết tật” nhưng không còn đủ điều kiện",
            "has a decision on “Disability allowance”, but no longer qualifies",
        ),
        (
            Reason::MayQualify(p),
            "có thể đủ điều kiện hưởng “Trợ cấp người khuyết tật”, nhưng còn thông tin chưa rõ và chưa có quyết định",
            "may qualify for “Disability allowance”, but something is not known and there is no decision",
        ),
        (
            Reason::BeginsNextMonth(p),
            "đủ điều kiện hưởng “Trợ cấp người khuyết tật” kể từ tháng sau",
            "entitled to “Disability allowance” from the month after",
        ),
        (
            Reason::AlreadyPaid(p),
            "đã được chi trả một lần “Trợ cấp người khuyết tật”",
            "was paid “Disability allowance” once before",
        ),
        (
            Reason::NoProgramme,
            "không thuộc diện hưởng chế độ nào",
            "meets the conditions of no programme",
        ),
    ] {
        assert_eq!(Words::new(&policy, Lang::Vi).reason(&reason), vi);
        assert_eq!(Words::new(&policy, Lang::En).reason(&reason), en);
    }
}
