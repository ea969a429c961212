//! Names, addresses and accounts. Every name is put together at random; no bank or wallet named here exists.

use serde::Deserialize;

use super::places::Place;
use super::random::Random;
use crate::gazetteer::Region;
use crate::kernel::units::UnitKind;
use crate::types::Sex;

const SURNAMES: &str = include_str!("../../data/surnames.csv");
const GIVEN_NAMES: &str = include_str!("../../data/given_names.csv");

/// Common given names of people born before about 1975, without known frequencies.
const GIVEN_OLDER_MALE: [&str; 20] = [
    "Bình", "Chiến", "Dân", "Hòa", "Hợi", "Khang", "Lợi", "Lâm", "Mạnh", "Nghĩa", "Phúc", "Quý", "Sáu",
    "Tâm", "Thọ", "Tiến", "Tư", "Vinh", "Xuân", "Út",
];
const GIVEN_OLDER_FEMALE: [&str; 20] = [
    "Ba", "Bé", "Bích", "Cúc", "Dung", "Hoa", "Hồng", "Hường", "Lan", "Liên", "Loan", "Mai", "Nga", "Nhung",
    "Oanh", "Sen", "Thắm", "Tuyết", "Xuân", "Yến",
];
const MIDDLE_MALE: [&str; 12] = [
    "Văn", "Văn", "Văn", "Đức", "Hữu", "Minh", "Quang", "Công", "Đình", "Ngọc", "Xuân", "Thanh",
];
const MIDDLE_FEMALE: [&str; 12] = [
    "Thị", "Thị", "Thị", "Ngọc", "Thu", "Minh", "Thanh", "Kim", "Phương", "Bích", "Hồng", "Khánh",
];
const STREETS: [&str; 16] = [
    "Trần Phú",
    "Lê Lợi",
    "Nguyễn Huệ",
    "Hùng Vương",
    "Quang Trung",
    "Lý Thường Kiệt",
    "Hai Bà Trưng",
    "Nguyễn Trãi",
    "Trần Hưng Đạo",
    "Lê Duẩn",
    "Phan Chu Trinh",
    "Nguyễn Du",
    "Lê Hồng Phong",
    "Hoàng Diệu",
    "Bà Triệu",
    "Điện Biên Phủ",
];
const VILLAGES: [&str; 16] = [
    "Đông",
    "Đoài",
    "Trung",
    "Thượng",
    "Hạ",
    "Tân Lập",
    "Tân Tiến",
    "Hòa Bình",
    "Phú Thịnh",
    "Đồng Tâm",
    "Quyết Tiến",
    "An Phú",
    "Bình Minh",
    "Thống Nhất",
    "Tân Thành",
    "Nà Lúa",
];
const BANKS: [&str; 3] = ["Ngân hàng Mẫu Một", "Ngân hàng Mẫu Hai", "Ngân hàng Mẫu Ba"];

/// The age from which people bear the older given names more often.
const OLDER_AGE: u8 = 50;
const SLOTS: usize = 1_024;

#[derive(Deserialize)]
struct SurnameRow {
    surname: String,
    pct_2022_sample: f64,
}

#[derive(Deserialize)]
struct GivenRow {
    sex: String,
    given_name: String,
    pct: f64,
}

/// A table from which names are drawn by frequency with one look-up.
#[derive(Debug)]
struct Draw {
    names: Vec<String>,
    slots: Vec<u8>,
}

impl Draw {
    fn new(weighted: Vec<(String, f64)>) -> Self {
        let parts: Vec<u64> = weighted
            .iter()
            .map(|&(_, weight)| (weight * 1_000.0) as u64)
            .collect();
        let slots = super::places::apportion(SLOTS as u64, &parts)
            .into_iter()
            .enumerate()
            .flat_map(|(at, count)| std::iter::repeat_n(at as u8, count as usize))
            .collect();
        let names = weighted.into_iter().map(|(name, _)| name).collect();
        Self { names, slots }
    }

    fn at(&self, index: u8) -> &str {
        &self.names[usize::from(index)]
    }

    fn draw(&self, random: &mut Random) -> u8 {
        self.slots[random.below(self.slots.len() as u32) as usize]
    }
}

/// A surname: its place in the table of the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surname(u8);

/// The names of the country.
#[derive(Debug)]
pub(super) struct Names {
    north: Draw,
    south: Draw,
    given: [Draw; 2],
}

impl Names {
    /// The tables of frequent names.
    pub(super) fn vietnam() -> Self {
        let surnames: Vec<SurnameRow> = crate::gazetteer::embedded_rows(SURNAMES);
        // One line holds the northern and the southern form of the same surname.
        let regional = |part: fn(&str) -> &str| {
            let weighted = surnames
                .iter()
                .map(|row| (part(&row.surname).to_owned(), row.pct_2022_sample));
            Draw::new(weighted.collect())
        };
        let given_rows: Vec<GivenRow> = crate::gazetteer::embedded_rows(GIVEN_NAMES);
        let given = |letter: &str| {
            let rows = given_rows.iter().filter(|row| row.sex == letter);
            Draw::new(rows.map(|row| (row.given_name.clone(), row.pct)).collect())
        };
        Self {
            north: regional(|name| name.split('/').next().unwrap_or(name)),
            south: regional(|name| name.rsplit('/').next().unwrap_or(name)),
            given: [given("M"), given("F")],
        }
    }

    /// A surname drawn by frequency.
    pub(super) fn surname(&self, random: &mut Random) -> Surname {
        Surname(self.north.draw(random))
    }

    /// A full name: surname, middle name, given name.
    pub(super) fn full(
        &self,
        surname: Surname,
        region: Region,
        sex: Sex,
        age: u8,
        random: &mut Random,
    ) -> String {
        let surnames = match region {
            Region::Southeast | Region::MekongDelta => &self.south,
            _ => &self.north,
        };
        let (middles, older, given) = match sex {
            Sex::Male => (&MIDDLE_MALE, &GIVEN_OLDER_MALE, &self.given[0]),
            Sex::Female => (&MIDDLE_FEMALE, &GIVEN_OLDER_FEMALE, &self.given[1]),
        };
        let bits = random.next();
        let mut part = Random::keyed(bits, 0);
        // Older women and men mostly have the traditional middle name, the first of the list.
        let middle = if age >= OLDER_AGE && part.percent(70) {
            middles[0]
        } else {
            part.pick(middles)
        };
        let given = if part.percent(if age >= OLDER_AGE { 75 } else { 12 }) {
            part.pick(older)
        } else {
            given.at(given.draw(&mut part))
        };
        joined(&[surnames.at(surname.0), " ", middle, " ", given])
    }
}

fn joined(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        text.push_str(part);
    }
    text
}

/// Appends a number with at least so many digits.
fn push_number(text: &mut String, number: u64, digits_min: usize) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = number;
    while rest > 0 || digits.len() - at < digits_min {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    text.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}

/// An address within a commune.
pub(super) fn address(place: &Place, random: &mut Random) -> String {
    const CAPACITY: usize = 56;
    let mut text = String::with_capacity(CAPACITY);
    let house = u64::from(random.below(400)) + 1;
    if place.kind == UnitKind::Ward {
        text.push_str("Số ");
        push_number(&mut text, house, 1);
        text.push_str(" đường ");
        text.push_str(random.pick(&STREETS));
        text.push_str(", tổ dân phố ");
        push_number(&mut text, u64::from(random.below(30)) + 1, 1);
        return text;
    }
    text.push_str("Nhà số ");
    push_number(&mut text, house, 1);
    text.push_str(match place.region {
        Region::NorthernMountains if place.upland => ", bản ",
        Region::CentralHighlands if place.upland => ", buôn ",
        Region::Southeast | Region::MekongDelta => ", ấp ",
        _ => ", thôn ",
    });
    text.push_str(random.pick(&VILLAGES));
    text
}

/// A bank account: the bank's name and the number.
pub(super) fn bank_account(random: &mut Random) -> String {
    let mut text = String::with_capacity(36);
    text.push_str(random.pick(&BANKS));
    text.push(' ');
    push_number(&mut text, random.below_wide(10_000_000_000), 10);
    text
}

/// A wallet or a mobile-money account: its kind and a number that no telephone has.
pub(super) fn wallet_account(kind: &str, random: &mut Random) -> String {
    let mut text = String::with_capacity(36);
    text.push_str(kind);
    text.push_str(" 0000");
    push_number(&mut text, u64::from(random.below(1_000_000)), 6);
    text
}

/// A decision of a commune: its number and day.
pub(super) fn decision(month: crate::types::Month, random: &mut Random) -> String {
    let mut text = String::with_capacity(28);
    push_number(&mut text, u64::from(random.below(980)) + 1, 1);
    text.push_str("/QĐ-UBND ");
    push_number(&mut text, month.year() as u64, 4);
    text.push('-');
    push_number(&mut text, month.month() as u64, 2);
    text.push('-');
    push_number(&mut text, u64::from(random.below(28)) + 1, 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_three_parts_and_southern_forms() {
        let names = Names::vietnam();
        let mut random = Random::keyed(1, 1);
        let mut nguyen = 0;
        let mut southern = 0;
        for _ in 0..10_000 {
            let surname = names.surname(&mut random);
            let name = names.full(surname, Region::MekongDelta, Sex::Female, 70, &mut random);
            assert_eq!(name.split(' ').count(), 3, "{name}");
            assert!(!name.starts_with("Vũ ") && !name.starts_with("Hoàng "));
            nguyen += u32::from(name.starts_with("Nguyễn "));
            southern += u32::from(name.starts_with("Võ "));
        }
        assert!((3_000..4_000).contains(&nguyen), "{nguyen}");
        assert!((400..700).contains(&southern), "{southern}");
    }

    #[test]
    fn decisions_name_number_and_day() {
        let text = decision("2026-03".parse().unwrap(), &mut Random::keyed(1, 1));
        let (number, day) = text.split_once("/QĐ-UBND ").unwrap();
        assert!((1..=980).contains(&number.parse::<u32>().unwrap()));
        assert!(day.parse::<crate::types::Date>().is_ok(), "{day}");
    }

    #[test]
    fn numbers_are_padded() {
        let mut text = String::new();
        push_number(&mut text, 0, 1);
        push_number(&mut text, 7, 2);
        push_number(&mut text, 1_234, 2);
        assert_eq!(text, "0071234");
    }
}
