//! People as they are in a real register: names by their frequency, households that share an address, few accounts.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn word<'w>(&mut self, words: &'w str) -> &'w str {
        let count = words.split(',').count();
        let index = self.below(count);
        words.split(',').nth(index).unwrap()
    }
}

const SURNAMES: &str = "Nguyễn,Nguyễn,Nguyễn,Nguyễn,Nguyễn,Nguyễn,Trần,Trần,Lê,Lê,Phạm,Hoàng,Huỳnh,Vũ,Võ,Phan,Trương,Bùi,\
    Đặng,Đỗ,Ngô,Hồ,Dương,Hà,Lý,Trịnh,Lâm,Vi,Giàng,Ksor,Thạch";
const MIDDLE_F: &str = "Thị,Thị,Thị,Thị Thu,Thị Bích,Ngọc,Thanh,Khánh,Hoài,Thị Mỹ,Diệu";
const MIDDLE_M: &str = "Văn,Văn,Văn,Minh,Đức,Quốc,Hữu,Xuân,Đình,Gia,Trọng,Công,Viết";
const GIVEN: &str = "Anh,Vy,Ngọc,Nhi,Hân,Thư,Linh,Như,Ngân,Phương,Thảo,My,Trân,Quỳnh,Nghi,Trang,Trâm,An,Thy,Châu,Tuấn,Hoàng,\
    Huy,Hiếu,Hùng,Nam,Sơn,Đức,Dũng,Thành,Đạt,Cường,Long,Trung,Hải,Nguyên,Thắng,Minh,Duy,Páo,Súa,Nhẫn,Lượm,Bé,Thìn,Tỵ,Vượng";
const STREETS: &str = "Trần Hưng Đạo,Lê Lợi,Nguyễn Trãi,Phan Bội Châu,Tô Hiệu,Ỷ Lan,Bạch Đằng,Nguyễn Đình Chiểu,Âu Cơ,Thành Thái";
const HAMLETS: &str = "Đông Hòa,Phú Mỹ,Xuân Tiến,Hợp Thành,Nà Lốc,Vĩnh Trung,Cầu Dừa,Kênh Tư,Bình Lợi,Mỹ Hưng B,Đồng Tâm,Yên Lạc";

fn address(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!(
            "Số {} đường {}, tổ dân phố {}",
            random.below(400) + 1,
            random.word(STREETS),
            random.below(20)
        ),
        1 => format!(
            "{} ngõ {} phố {}, TDP số {}",
            random.below(99) + 1,
            random.below(300) + 1,
            random.word(STREETS),
            random.below(30)
        ),
        2 => format!(
            "Số nhà {}, thôn {}, đội {}",
            random.below(250) + 1,
            random.word(HAMLETS),
            random.below(12)
        ),
        _ => format!(
            "Tổ {}, ấp {}, nhà {}/{}",
            random.below(9),
            random.word(HAMLETS),
            random.below(99),
            random.below(9)
        ),
    }
}

/// So many people, in households of one to six who share an address.
fn people(count: usize, seed: u64) -> Vec<(PersonNumber, Dossier)> {
    let mut random = Random(seed);
    let mut people: Vec<(PersonNumber, Dossier)> = Vec::new();
    while people.len() < count {
        let address = address(&mut random);
        for _ in 0..(1 + random.below(6)).min(count - people.len()) {
            let middle = if random.below(2) == 0 { MIDDLE_F } else { MIDDLE_M };
            let given = format!("{} {}", random.word(middle), random.word(GIVEN));
            let mut dossier = Dossier {
                name: format!("{} {given}", random.word(SURNAMES)),
                address: address.clone(),
                ..Dossier::default()
            };
            if random.below(20) == 0 {
                let bank = random.word("Vietcombank,BIDV,Agribank,VietinBank,MB Bank,Ngân hàng CSXH");
                dossier.account = format!("{bank} {:010}", random.0 >> 31);
                let number = random.below(900) + 1;
                let document = format!(
                    "{number}/QĐ-UBND 202{}-0{}-1{}",
                    random.below(7),
                    1 + random.below(9),
                    random.below(9)
                );
                dossier.documents.push((300 + random.below(30) as u16, document));
            }
            people.push((PersonNumber(people.len() as u32 + 1), dossier));
        }
    }
    people
}

fn build(people: &[(PersonNumber, Dossier)]) -> Vec<EncodedBlock> {
    let mut builder = DossierBlockBuilder::new();
    let mut blocks = Vec::new();
    for (person, dossier) in people {
        builder.push(*person, dossier).unwrap();
        blocks.extend(builder.take_finished());
    }
    blocks.extend(builder.finish());
    blocks
}

/// Everyone in these blocks, whose keys, order and sizes are checked.
fn read(blocks: &[EncodedBlock]) -> Vec<(PersonNumber, Dossier)> {
    let mut all = Vec::new();
    let mut before = None;
    for (key, bytes) in blocks {
        let people = DossierBlock::decode(bytes).unwrap().dossiers().unwrap();
        assert!(before < Some(people[0].0) && people[people.len() - 1].0 <= *key);
        before = Some(*key);
        assert!(
            bytes.len() <= BLOCK_BYTES || people.len() == 1,
            "{} bytes of {}",
            bytes.len(),
            people.len()
        );
        all.extend(people);
    }
    assert!(all.is_sorted_by(|a, b| a.0 < b.0));
    all
}

/// The stored bytes of redb leaves, padding included, against the raw bytes of the records.
#[test]
fn blocks_of_real_people_take_at_most_half() {
    let people = people(20_000, 7);
    let blocks = build(&people);
    assert_eq!(read(&blocks), people);
    let raw: usize = people
        .iter()
        .map(|(_, dossier)| record::encode(1, dossier).len())
        .sum();
    let stored = 4_096 * blocks.len();
    assert!(stored * 2 <= raw, "{stored} bytes for {raw}");
    let filled: usize = blocks.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(
        filled * 100 >= 97 * BLOCK_BYTES * (blocks.len() - 1),
        "{filled} bytes in {} blocks",
        blocks.len()
    );
}

#[test]
fn each_person_is_read_alone() {
    let people: Vec<_> = people(3_000, 9)
        .into_iter()
        .filter(|(person, _)| person.get() % 7 != 3 && !(500..900).contains(&person.get()))
        .collect();
    let blocks = build(&people);
    for (key, bytes) in &blocks {
        let block = DossierBlock::decode(bytes).unwrap();
        let here: BTreeMap<_, _> = block.dossiers().unwrap().into_iter().collect();
        assert_eq!(here.keys().next(), Some(&block.first()));
        assert_eq!(here.keys().next_back(), Some(key));
        for person in 0..3_100 {
            let person = PersonNumber(person);
            assert_eq!(block.get(person).unwrap().as_ref(), here.get(&person), "{person}");
        }
    }
    assert_eq!(read(&blocks), people);
}

fn long(bytes: usize, seed: u64) -> Dossier {
    let mut random = Random(seed);
    let name = (0..bytes)
        .map(|_| char::from(b'!' + random.below(90) as u8))
        .collect();
    Dossier {
        name,
        ..Dossier::default()
    }
}

#[test]
fn a_dossier_too_large_for_a_page_stands_alone_and_larger_ones_are_refused() {
    let mut people = people(300, 3);
    people[100].1 = long(DOSSIER_BYTES_MAX - 7, 1);
    people[101].1 = long(6_000, 2);
    people[200].1 = long(2_900, 3);
    people[201].1 = long(4_060, 4);
    let blocks = build(&people);
    assert_eq!(read(&blocks), people);
    assert!(blocks.iter().all(|(_, bytes)| bytes.len() <= 4 * 4_096 - 12));
    let mut builder = DossierBlockBuilder::new();
    let error = builder
        .push(PersonNumber(5), &long(DOSSIER_BYTES_MAX, 1))
        .unwrap_err();
    assert!(matches!(error, DossierError::TooLong { found, .. } if found > DOSSIER_BYTES_MAX));
    builder.push(PersonNumber(5), &people[0].1).unwrap();
    let again = builder.push(PersonNumber(5), &people[0].1);
    assert!(matches!(again, Err(DossierError::Order { .. })));
    assert_eq!(read(&builder.finish()), [(PersonNumber(5), people[0].1.clone())]);
    assert_eq!(DossierBlockBuilder::new().finish(), []);
}

#[test]
fn people_whose_dossiers_do_not_compress_fill_their_blocks() {
    let people: Vec<_> = (1..400_u32)
        .map(|i| (PersonNumber(i), long(i as usize * 2, u64::from(i))))
        .collect();
    let blocks = build(&people);
    assert_eq!(read(&blocks), people);
    let raw: usize = people
        .iter()
        .map(|(_, dossier)| record::encode(1, dossier).len())
        .sum();
    assert!(
        blocks.len() * 3_400 <= raw,
        "{} blocks for {raw} bytes",
        blocks.len()
    );
}

#[test]
fn people_added_one_by_one_fill_their_blocks() {
    let people = people(1_500, 11);
    let mut blocks = build(&people[..1]);
    for (person, dossier) in &people[1..] {
        let (key, last) = blocks.pop().unwrap();
        blocks.extend(DossierBlock::update((key, &last), *person, Some(dossier)).unwrap());
    }
    assert_eq!(read(&blocks), people);
    let loaded = build(&people).len();
    assert!(
        blocks.len() * 3 <= loaded * 4,
        "{} blocks, loaded at once {loaded}",
        blocks.len()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn updates_do_what_a_map_does(
        seed: u64,
        steps in prop::collection::vec((0_u32..400, 0_usize..12, 1_usize..6), 1..30),
    ) {
        let all = people(400, seed);
        let mut model: BTreeMap<_, _> = all.iter().step_by(2).cloned().collect();
        let mut blocks: BTreeMap<_, _> = build(&model.clone().into_iter().collect::<Vec<_>>()).into_iter().collect();
        for (at, kind, many) in steps {
            let first = PersonNumber(at);
            let dossier = match kind {
                0 => Some(long(9_000, u64::from(at))),
                1..=3 => None,
                4 => Some(long(700, u64::from(at))),
                _ => Some(all[at as usize].1.clone()),
            };
            let changes: Vec<_> = (0..many as u32).map(|i| (PersonNumber(first.get() + i), dossier.as_ref())).collect();
            let last = blocks.keys().next_back().copied();
            let Some((&key, bytes)) = blocks.range(first..).next().or_else(|| blocks.iter().next_back()) else {
                break;
            };
            let fits = |person| person <= key || Some(key) == last;
            let changes: Vec<_> = changes.into_iter().filter(|(person, _)| fits(*person)).collect();
            let changed = DossierBlock::update_all((key, bytes), &changes).unwrap();
            blocks.remove(&key);
            blocks.extend(changed);
            for (person, dossier) in changes {
                match dossier {
                    Some(dossier) => model.insert(person, dossier.clone()),
                    None => model.remove(&person),
                };
            }
            let found = read(&blocks.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(found, model.clone().into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn damaged_blocks_are_refused_or_read_alike(
        seed: u64, at in any::<prop::sample::Index>(), value: u8, small in any::<bool>(),
    ) {
        let people = people(if small { 4 } else { 300 }, seed);
        let (key, mut bytes) = build(&people).remove(0);
        let cut = at.index(bytes.len());
        prop_assert!(DossierBlock::decode(&bytes[..cut]).is_err());
        bytes[cut] = value;
        let Ok(block) = DossierBlock::decode(&bytes) else { return Ok(()) };
        if let Ok(all) = block.dossiers() {
            for (person, dossier) in all {
                prop_assert_eq!(block.get(person).unwrap(), Some(dossier));
            }
        }
        let first = PersonNumber(block.first().get() + 1);
        if let Ok(blocks) = DossierBlock::update((key, &bytes), first, None) {
            for (_, bytes) in blocks {
                prop_assert!(DossierBlock::decode(&bytes).is_ok());
            }
        }
    }
}

#[test]
fn a_directory_that_claims_too_much_is_refused() {
    let bytes = build(&people(3, 1))[0].1.clone();
    for (at, value) in [(0, 2), (1, 0), (1, 2), (7, 255), (9, 1)] {
        let mut changed = bytes.clone();
        changed[at] = value;
        assert!(DossierBlock::decode(&changed).is_err(), "byte {at} = {value}");
    }
    assert_eq!(DossierBlock::decode(&[]).unwrap_err().at, 0);
}
