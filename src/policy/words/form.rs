//! Numbers, amounts, dates and legal sources as a language writes them.

use crate::policy::outcome::Lang;
use crate::types::{BirthDate, Date, Decimal, Dong, Month, Total};

/// The digits of a group of thousands.
const GROUP: usize = 3;

/// A number: in Vietnamese with a comma before decimals and dots between thousands, in English the other way round.
///
/// ```
/// use ansinh::policy::{Lang, words};
/// assert_eq!(words::number("1234567.5".parse()?, Lang::Vi), "1.234.567,5");
/// assert_eq!(words::number("1234567.5".parse()?, Lang::En), "1,234,567.5");
/// # Ok::<(), ansinh::types::DecimalError>(())
/// ```
pub fn number(number: Decimal, lang: Lang) -> String {
    grouped(&number.to_string(), lang)
}

fn grouped(plain: &str, lang: Lang) -> String {
    let (group, point) = match lang {
        Lang::Vi => ('.', ','),
        Lang::En => (',', '.'),
    };
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(GROUP) {
            text.push(group);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(point);
        text.push_str(fraction);
    }
    text
}

/// An amount in đồng.
pub fn money(amount: Dong, lang: Lang) -> String {
    format!("{} đ", grouped(&amount.get().to_string(), lang))
}

/// A total in đồng.
pub fn total(total: Total, lang: Lang) -> String {
    format!("{} đ", grouped(&total.get().to_string(), lang))
}

/// A number that is an amount in đồng, or one without unit.
pub(super) fn quantity(value: Decimal, is_money: bool, lang: Lang) -> String {
    let text = number(value, lang);
    if is_money { format!("{text} đ") } else { text }
}

/// A month: `06/2026` in Vietnamese, `2026-06` in English.
pub fn month(month: Month, lang: Lang) -> String {
    match lang {
        Lang::Vi => format!("{:02}/{}", month.month(), month.year()),
        Lang::En => month.to_string(),
    }
}

/// A date: `17/03/1950` in Vietnamese, `1950-03-17` in English.
pub fn date(date: Date, lang: Lang) -> String {
    match lang {
        Lang::Vi => format!("{:02}/{}", date.day(), month(date.month(), lang)),
        Lang::En => date.to_string(),
    }
}

/// A birth date, of which the day or the month may be unknown.
pub fn birth(birth: BirthDate, lang: Lang) -> String {
    match (birth.date(), birth.month()) {
        (Some(known), _) => date(known, lang),
        (None, Some(known)) => month(known, lang),
        (None, None) => birth.year().to_string(),
    }
}

/// A legal source as the language names it. Packs write them in English, for example
/// `Decree 20/2021/NĐ-CP, Art. 6(1)a`; what has another form stays as it is.
///
/// ```
/// use ansinh::policy::{Lang, words};
/// let cite = "Decree 20/2021/NĐ-CP, Art. 5(1), Art. 6(1)a";
/// assert_eq!(words::cite(cite, Lang::Vi), "khoản 1 Điều 5, điểm a khoản 1 Điều 6 Nghị định 20/2021/NĐ-CP");
/// assert_eq!(words::cite(cite, Lang::En), cite);
/// ```
pub fn cite(cite: &str, lang: Lang) -> String {
    match lang {
        Lang::En => cite.to_owned(),
        Lang::Vi => {
            let parts: Vec<String> = cite.split("; ").map(source_vi).collect();
            parts.join("; ")
        }
    }
}

fn source_vi(part: &str) -> String {
    let mut written: Vec<String> = Vec::new();
    let mut tokens = part.split(", ").peekable();
    while let Some(token) = tokens.next() {
        let (token, mut remark) = token.split_once(": ").unwrap_or((token, ""));
        let Some(document) = document_vi(token) else {
            written.push(with_remark(&other_vi(token), remark));
            continue;
        };
        let mut places = Vec::new();
        while let Some(token) = tokens.peek().filter(|_| remark.is_empty()) {
            let (place, about) = token.split_once(": ").unwrap_or((token, ""));
            let Some(place) = place_vi(place) else {
                break;
            };
            places.push(place);
            remark = about;
            tokens.next();
        }
        let named = if places.is_empty() {
            document
        } else {
            format!("{} {document}", places.join(", "))
        };
        written.push(with_remark(&named, remark));
    }
    written.join(", ")
}

fn with_remark(text: &str, remark: &str) -> String {
    if remark.is_empty() {
        text.to_owned()
    } else {
        format!("{text} ({remark})")
    }
}

/// A document: its kind and its number, or its kind, number and year.
fn document_vi(token: &str) -> Option<String> {
    const KINDS: [(&str, &str); 7] = [
        ("Decree ", "Nghị định"),
        ("Law ", "Luật"),
        ("Ordinance ", "Pháp lệnh"),
        ("Resolution ", "Nghị quyết"),
        ("Decision ", "Quyết định"),
        ("Circular ", "Thông tư"),
        ("Directive ", "Chỉ thị"),
    ];
    let (kind, rest) = KINDS
        .iter()
        .find_map(|(english, kind)| Some((*kind, token.strip_prefix(english)?)))?;
    let (number, year) = rest.split_once(" of ").unwrap_or((rest, ""));
    let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if !starts_with_digit(number) || number.contains(' ') || !year.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    Some(if year.is_empty() {
        format!("{kind} {number}")
    } else {
        format!("{kind} {number} năm {year}")
    })
}

/// An article, its clause and its point, or an annex.
fn place_vi(token: &str) -> Option<String> {
    if let Some(annex) = token.strip_prefix("Annex ") {
        return Some(format!("Phụ lục {annex}"));
    }
    if let Some(annexes) = token.strip_prefix("Annexes ") {
        return Some(format!("Phụ lục {}", annexes.replace(" and ", " và ")));
    }
    let rest = token.strip_prefix("Art. ").unwrap_or(token);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (article, rest) = rest.split_at(digits);
    if article.is_empty() {
        return None;
    }
    let (clause, rest) = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(')')?,
        None => ("", rest),
    };
    let is_number = clause.bytes().all(|byte| byte.is_ascii_digit());
    let is_point = rest.chars().count() <= 1 && rest.chars().all(char::is_lowercase);
    if !is_number || !is_point || !rest.is_empty() && clause.is_empty() {
        return None;
    }
    let mut text = String::new();
    if !rest.is_empty() {
        text = format!("điểm {rest} ");
    }
    if !clause.is_empty() {
        text = format!("{text}khoản {clause} ");
    }
    Some(format!("{text}Điều {article}"))
}

/// The remarks that packs put beside sources.
fn other_vi(token: &str) -> String {
    if let Some((place, document)) = token
        .strip_prefix("amending ")
        .and_then(|what| what.split_once(" of "))
        && let (Some(place), Some(document)) = (place_vi(place), document_vi(document))
    {
        return format!("sửa đổi {place} {document}");
    }
    if let Some(documents) = token.strip_prefix("replaced by Decrees ") {
        return format!(
            "được thay thế bởi các Nghị định {}",
            documents.replace(" and ", " và ")
        );
    }
    match token {
        "a least amount" => "mức tối thiểu".to_owned(),
        "as reported by the press" | "by the press" => "theo báo chí".to_owned(),
        other => other.to_owned(),
    }
}

/// The text with a capital at its beginning.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A title within a sentence: without its capital, unless it begins with a name or an abbreviation.
pub(super) fn lower(title: &str) -> String {
    let mut chars = title.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let is_short = chars.clone().next().is_some_and(char::is_uppercase);
    let next_word = title.split(' ').nth(1).unwrap_or_default();
    let is_name = title.is_ascii() && next_word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    if is_short || is_name {
        return title.to_owned();
    }
    first.to_lowercase().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_written_as_each_language_does() {
        for (plain, vi, en) in [
            ("0", "0", "0"),
            ("999", "999", "999"),
            ("-1000", "-1.000", "-1,000"),
            ("500000", "500.000", "500,000"),
            ("1.5", "1,5", "1.5"),
            ("12345.678", "12.345,678", "12,345.678"),
        ] {
            let value = plain.parse().unwrap();
            assert_eq!(
                (number(value, Lang::Vi), number(value, Lang::En)),
                (vi.into(), en.into())
            );
        }
        assert_eq!(money(Dong::new(1_250_000), Lang::Vi), "1.250.000 đ");
        assert_eq!(total(Total::new(-7_000), Lang::En), "-7,000 đ");
        let born: BirthDate = "1950-03-17".parse().unwrap();
        assert_eq!(birth(born, Lang::Vi), "17/03/1950");
        assert_eq!(birth("1950-03".parse().unwrap(), Lang::Vi), "03/1950");
        assert_eq!(birth("1950".parse().unwrap(), Lang::En), "1950");
    }

    #[test]
    fn sources_are_named_in_vietnamese() {
        for (english, vietnamese) in [
            (
                "Decree 20/2021/NĐ-CP, Art. 6(2); Decree 176/2025/NĐ-CP, Art. 3",
                "khoản 2 Điều 6 Nghị định 20/2021/NĐ-CP; Điều 3 Nghị định 176/2025/NĐ-CP",
            ),
            (
                "Decree 20/2021/NĐ-CP, Art. 20(2)a, 20(2)b",
                "điểm a khoản 2 Điều 20, điểm b khoản 2 Điều 20 Nghị định 20/2021/NĐ-CP",
            ),
            ("Law 51/2010/QH12, Art. 51", "Điều 51 Luật 51/2010/QH12"),
            (
                "Hà Nội, Resolution 63/2025/NQ-HĐND, Art. 2",
                "Hà Nội, Điều 2 Nghị quyết 63/2025/NQ-HĐND",
            ),
            (
                "Decree 77/2024/NĐ-CP, Annexes II and III",
                "Phụ lục II và III Nghị định 77/2024/NĐ-CP",
            ),
            ("Resolution 68/NQ-CP of 2021", "Nghị quyết 68/NQ-CP năm 2021"),
            (
                "Decree 76/2024/NĐ-CP, Art. 1, amending Art. 4(2) of Decree 20/2021",
                "Điều 1 Nghị định 76/2024/NĐ-CP, sửa đổi khoản 2 Điều 4 Nghị định 20/2021",
            ),
            (
                "Law 41/2024/QH15, Art. 21; a case paid in 2025",
                "Điều 21 Luật 41/2024/QH15; a case paid in 2025",
            ),
            (
                "Decrees 55/2023/NĐ-CP and 77/2024/NĐ-CP",
                "Decrees 55/2023/NĐ-CP and 77/2024/NĐ-CP",
            ),
            (
                "Decree 75/2021/NĐ-CP, Annex I, replaced by Decrees 55/2023/NĐ-CP and 77/2024/NĐ-CP",
                "Phụ lục I Nghị định 75/2021/NĐ-CP, được thay thế bởi các Nghị định 55/2023/NĐ-CP và 77/2024/NĐ-CP",
            ),
            (
                "Ordinance 02/2020/UBTVQH14, Art. 6(6): only one extra nurturing allowance",
                "khoản 6 Điều 6 Pháp lệnh 02/2020/UBTVQH14 (only one extra nurturing allowance)",
            ),
            ("", ""),
        ] {
            assert_eq!(cite(english, Lang::Vi), vietnamese);
        }
    }

    #[test]
    fn titles_keep_the_capitals_of_names() {
        for (title, within) in [
            ("Đang mang thai", "đang mang thai"),
            ("HIV", "HIV"),
            (
                "Agent Orange, of the resistance",
                "Agent Orange, of the resistance",
            ),
            ("Pregnant", "pregnant"),
            ("Bà mẹ Việt Nam anh hùng", "bà mẹ Việt Nam anh hùng"),
        ] {
            assert_eq!(lower(title), within);
        }
        assert_eq!(capital("đủ 80 tuổi"), "Đủ 80 tuổi");
    }
}
