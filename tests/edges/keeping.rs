//! What a pack may keep in profiles.

use ansinh::kernel::catalogue::{Keeping, PROFILE_INTEGERS_MAX, SubjectKind};
use ansinh::policy::Pack;

/// The pack of Vietnam with one attribute more, which has no programme that asks for it.
fn with_attribute(lines: &str) -> Result<Pack, String> {
    let vietnam = Pack::vietnam();
    let attribute = format!("\n[person.score]\ntitle = {{ vi = \"a\", en = \"a\" }}\n{lines}\n");
    let text = vietnam.source_text().to_owned() + &attribute;
    let pack = vietnam.with_text("test.toml", &text);
    pack.map_err(|errors| errors.to_string())
}

#[test]
fn small_integers_may_stand_in_profiles_and_nothing_wider() {
    let keeping = |lines: &str| {
        let declaration = with_attribute(lines).unwrap().declaration();
        let mut attributes = declaration.attributes.iter();
        let score = attributes.find(|attribute| attribute.name == "score").unwrap();
        assert_eq!(score.subject, SubjectKind::Person);
        score.keeping
    };
    let integer =
        |max: u64, keeping: &str| format!("type = \"integer\"\nmin = 0\nmax = {max}\nabsent = 0\n{keeping}");
    let (profile, widest) = ("keeping = \"profile\"", PROFILE_INTEGERS_MAX - 1);
    assert_eq!(keeping("type = \"bool\"\nabsent = false"), Keeping::Profile);
    assert_eq!(keeping(&integer(9, "")), Keeping::Column);
    assert_eq!(keeping(&integer(widest, profile)), Keeping::Profile);
    assert_eq!(keeping("type = \"money\"\nabsent = 0"), Keeping::Column);
    assert_eq!(keeping("type = \"person\""), Keeping::Column);
    for refused in [
        integer(widest + 1, profile),
        format!("type = \"money\"\nabsent = 0\n{profile}"),
        format!("type = \"date\"\nabsent = \"unknown\"\n{profile}"),
        format!("type = \"person\"\n{profile}"),
    ] {
        let message = with_attribute(&refused).unwrap_err();
        assert!(message.contains("score keeping: found \"profile\""), "{message}");
        assert!(message.contains("write \"column\""), "{message}");
    }
}
