use proptest::prelude::*;

use super::*;

fn pohde() -> TenantId {
    TenantId::new("19").unwrap()
}

fn of(variant: TextVariant, title: &str) -> BTreeMap<StemId, i64> {
    weigh(pohde(), &[Text { variant, title, summary: "", body: "" }])
}

/// Whether a query has a word in common with a text.
#[track_caller]
fn finds(variant: TextVariant, title: &str, asked: &str) -> bool {
    let known = of(variant, title);
    query(pohde(), asked).iter().flatten().any(|stem| known.contains_key(stem))
}

#[test]
fn s1_25_words_are_found_in_other_forms_of_them() {
    let pairs = [
        (TextVariant::Finnish, "Päivätoimintaan lisää ulkoilua", "ulkoilu"),
        (TextVariant::Finnish, "Päivätoimintaan lisää ulkoilua", "ulkoilun"),
        (TextVariant::Finnish, "Retkiä metsään", "retkille"),
        (TextVariant::EasyFinnish, "Ohjaajia on liian vähän", "ohjaajat"),
        (TextVariant::Finnish, "Taksien odotusajat lyhyemmiksi", "TAKSI"),
        (TextVariant::Finnish, "Linja-autojen aikataulut", "auto"),
        (TextVariant::Swedish, "Mera promenader i skogen", "promenaderna"),
        (TextVariant::EasySwedish, "Maten är för kall", "maten"),
        (TextVariant::English, "Longer walks outdoors", "walk"),
        (TextVariant::NorthernSami, "Olgolis lihkadeapmi", "lihkadeapmi"),
        (TextVariant::Finnish, "Sa\u{308}hko\u{308}pyo\u{308}ra\u{308}", "sähköpyörä"),
    ];
    for (variant, title, asked) in pairs {
        assert!(finds(variant, title, asked), "{asked:?} finds {title:?}");
    }
}

#[test]
fn dots_over_letters_make_another_word() {
    assert!(!finds(TextVariant::Finnish, "Saari", "sääri"));
    assert!(!finds(TextVariant::Swedish, "Får", "far"));
}

#[test]
fn stop_words_and_single_letters_find_nothing() {
    assert_eq!(query(pohde(), "ja että on, och det att; the of A b 5 !"), Vec::<Vec<StemId>>::new());
    assert!(of(TextVariant::Finnish, "Haluaisin että se olisi").is_empty());
}

#[test]
fn a_county_does_not_find_in_the_index_of_another() {
    let elsewhere = query(TenantId::new("21").unwrap(), "ulkoilu");
    let known = of(TextVariant::Finnish, "ulkoilu");
    assert!(elsewhere.iter().flatten().all(|stem| !known.contains_key(stem)));
}

#[test]
fn a_word_weighs_more_in_the_title_than_in_the_body_and_less_in_a_long_text() {
    let weight_of = |title: &str, summary: &str, body: &str| {
        let text = Text { variant: TextVariant::Finnish, title, summary, body };
        let weights = weigh(pohde(), &[text]);
        query(pohde(), "ulkoilu").iter().flatten().find_map(|stem| weights.get(stem).copied()).unwrap()
    };
    let long = "sana ".repeat(400);
    let in_title = weight_of("ulkoilu", "", "metsä");
    let in_summary = weight_of("metsä", "ulkoilu", "");
    let in_body = weight_of("metsä", "", "ulkoilu");
    assert!(in_title > in_summary && in_summary > in_body, "{in_title} {in_summary} {in_body}");
    assert!(weight_of("metsä", "", &format!("ulkoilu {long}")) < in_body);
}

#[test]
fn a_rare_word_says_more_than_a_common_one_and_one_that_is_everywhere_still_something() {
    let rarities = [1, 10, 1_000, 50_000].map(|with_it| rarity(with_it, 50_000));
    assert!(rarities.is_sorted_by(|one, other| one > other), "{rarities:?}");
    assert!(rarities[3] >= 0);
    assert_eq!(rarity(1, 1), 288, "ln(1 + 0.5 / 1.5) in thousandths");
}

#[test]
fn a_query_looks_at_so_many_different_words_only() {
    let text: String = (0..500).map(|number| format!("sana{number} sana{number} ")).collect();
    assert_eq!(query(pohde(), &text).len(), MAX_QUERY_WORDS);
}

proptest! {
    #[test]
    fn any_text_has_stems_and_finds_itself(text in "\\PC{0,80}") {
        let texts = TextVariant::ALL.map(|variant| Text { variant, title: &text, summary: &text, body: "" });
        let weights = weigh(pohde(), &texts);
        prop_assert!(weights.values().all(|weight| (1..=2_200).contains(weight)));
        for stems in query(pohde(), &text) {
            prop_assert!(stems.iter().all(|stem| weights.contains_key(stem)));
        }
    }

    #[test]
    fn finnish_words_are_cut_without_a_panic(word in "[a-zåäöšž]{1,30}") {
        for cut in Cut::ALL {
            prop_assert!(!cut.stem(&word).is_empty() || cut != Cut::Whole);
        }
    }
}
