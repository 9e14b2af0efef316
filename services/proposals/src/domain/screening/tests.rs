//! Sentences as people write them. Persons, numbers and codes are invented; the codes' numbers (900–999) are of those
//! that are given to nobody.

use proptest::prelude::*;

use super::FindingKind::{Address, Diagnosis, Email, IdentityCode, Name, OwnMatter, Phone, ThirdPerson};
use super::*;

/// What is found in a sentence, with the words.
fn found(text: &str) -> Vec<(FindingKind, &str)> {
    screen(&[text]).into_iter().map(|finding| (finding.kind, &text[finding.start..finding.end])).collect()
}

#[track_caller]
fn finds(text: &str, expected: &[(FindingKind, &str)]) {
    let found = found(text);
    for one in expected {
        assert!(found.contains(one), "{one:?} is not found in {text:?}, but {found:?}");
    }
}

#[track_caller]
fn finds_only(text: &str, expected: &[(FindingKind, &str)]) {
    assert_eq!(found(text), expected, "in {text:?}");
}

#[test]
fn proposals_about_services_give_no_warning() {
    let clean = [
        "",
        "Päivätoimintaan lisää ulkoilua.",
        "Haluaisin, että lähdemme joka viikko metsään. Eväät mukaan!",
        "Ruokalista voisi vaihtua useammin, ja keitto on liian kuumaa.",
        "Kehitysvammaisten asumisyksiköissä tarvitaan nopeampi netti.",
        "Taksi tuli 20 minuuttia myöhässä kello 08-16 välillä vuonna 2025-2026.",
        "Kokous on 1.2.2026 klo 12.30, ja paikkoja on 28.",
        "Henkilökunta vaihtuu liian usein. Ohjaajia pitäisi olla kaksi.",
        "Pohjois-Pohjanmaan hyvinvointialueen nettisivut ovat vaikeat.",
        "Bussi Oulusta Iihin kulkee vain kerran päivässä.",
        "Utajärven ja Vaalan päiväkeskukset voisivat retkeillä yhdessä.",
        "Työtoiminnassa saisi maksaa 12 euroa päivässä, eikä 5.",
        "Vi behöver mera promenader och en ny soffa till dagverksamheten.",
        "Personalen byts för ofta. Maten kunde vara varmare.",
        "Mer tid för varje klient, inte bara 15 minuter.",
    ];
    for text in clean {
        finds_only(text, &[]);
    }
}

#[test]
fn p9_identity_codes_are_found_valid_or_nearly_and_with_every_sign_of_a_century() {
    for sign in ["+", "-", "U", "V", "W", "X", "Y", "A", "B", "C", "D", "E", "F"] {
        let code = format!("010190{sign}900P");
        finds_only(&format!("Tunnukseni on {code}, kiitos."), &[(IdentityCode, &code)]);
    }
    let nearly = ["010190-900p", "010190 - 900P", "010190–900P", "311299-9999", "010190a900", "010190x900b"];
    for code in nearly {
        finds_only(&format!("Se on {code}."), &[(IdentityCode, code)]);
    }
    finds_only("Tilaus 110-90 ei tullut.", &[]);
}

#[test]
fn p9_phone_numbers_are_found_however_they_are_written() {
    let numbers = [
        "040 123 4567",
        "0401234567",
        "040-1234567",
        "+358 40 123 4567",
        "+358401234567",
        "00358 40 1234567",
        "(08) 123 4567",
        "08 123 456",
        "0400-123456",
        "+46 70 123 45 67",
    ];
    for number in numbers {
        finds_only(&format!("Soita numeroon {number} illalla."), &[(Phone, number)]);
    }
    finds_only("Vuonna 2026 avattiin 120 paikkaa ja 1 500 euroa.", &[]);
}

#[test]
fn p9_e_mail_is_found_also_with_the_sign_written_out() {
    finds_only("Kirjoita: aino.k@example.fi heti", &[(Email, "aino.k@example.fi")]);
    finds_only("Osoite aino(at)example.fi", &[(Email, "aino(at)example.fi")]);
    finds("aino ät example piste fi", &[(Email, "aino ät example piste fi")]);
    finds_only("Skriv till åke_ö@exempel.ax.", &[(Email, "åke_ö@exempel.ax")]);
}

#[test]
fn p9_addresses_are_found_in_any_case() {
    let streets = [
        "Kotikatu 5",
        "Kotikadulla 5",
        "Mäkitie 4 B 12",
        "Rantatiellä 12",
        "Koivukujalla 3",
        "Pitkäpolun 7",
        "Kauppatorilla 1",
        "Storgatan 14",
        "Skolvägen 3",
        "Björkgränden 2",
    ];
    for street in streets {
        finds(&format!("Paikka on osoitteessa {street}"), &[(Address, street)]);
    }
    finds("Postinumero on 91100 Ii.", &[(Address, "91100 Ii")]);
    finds_only("Tie on pitkä ja 5 kilometriä.", &[]);
}

#[test]
fn p9_first_names_are_found_in_their_cases() {
    let names = [
        "Matti",
        "Matin",
        "Mattia",
        "Matille",
        "Matilta",
        "Pekan",
        "Pekkaa",
        "Markulle",
        "Aino",
        "Ainon",
        "Ainolla",
        "Rasmuksen",
        "Johanneksella",
        "Kertun",
        "Liisakin",
        "Leenasta",
        "Danielin",
        "Päiviä",
        "Päiville",
        "Åsas",
        "Anna-Liisan",
    ];
    for name in names {
        finds_only(&format!("Toivon, että {name} kanssa retkeillään."), &[(Name, name)]);
    }
    finds_only("Matti lähti heti kotiin.", &[(Name, "Matti")]);
    finds_only("Meidän onni oli suuri, ja aino toivo oli lumi.", &[]);
}

#[test]
fn p9_names_are_found_in_pairs_and_by_their_endings() {
    finds_only("Siellä oli Liisa Korhonen.", &[(Name, "Liisa Korhonen")]);
    finds_only("Siellä oli Xantippe Kvartsi ja muut.", &[(Name, "Xantippe Kvartsi")]);
    finds_only("Kun Virtasen bussi tulee, lähdetään.", &[(Name, "Virtasen")]);
    finds_only("Det var Lindström som sade så.", &[(Name, "Lindström")]);
    finds_only("Det var Ulla-Maj Bergman.", &[(Name, "Ulla-Maj Bergman")]);
}

#[test]
fn p9_illnesses_are_found_in_their_cases() {
    let words = [
        "diabetes",
        "diabeteksen",
        "diabeetikoille",
        "skitsofreniaa",
        "masennukseni",
        "masennuslääkkeet",
        "ADHD",
        "ADHD:n",
        "epilepsiaa",
        "syöpä",
        "syövän",
        "Parkinsonin",
        "autismi",
        "MS-tauti",
        "depression",
        "schizofreni",
        "cancer",
        "bipolär",
        "ångestsyndrom",
        "demens",
    ];
    for word in words {
        let text = format!("Täällä on {word} myös.");
        let found = found(&text);
        assert!(found.contains(&(Diagnosis, word)), "{word}: {found:?}");
    }
    finds_only("Lisäaddiktio on uusi sana.", &[]);
}

#[test]
fn p9_other_people_are_found_by_role_and_name_or_by_whose_they_are() {
    finds("Silloin ohjaaja Virtanen huusi.", &[(ThirdPerson, "ohjaaja Virtanen")]);
    finds("Pyysin hoitajalta Kaislalta apua.", &[(ThirdPerson, "hoitajalta Kaislalta")]);
    finds("Sedan kom handledaren Lindström.", &[(ThirdPerson, "handledaren Lindström")]);
    for word in
        ["naapurini", "naapurilleni", "äidilleni", "äitini", "siskoni", "veljeltäni", "ystävämme", "lapsensa"]
    {
        finds_only(&format!("Kerroin siitä, kun {word} nukkui."), &[(ThirdPerson, word)]);
    }
    finds_only("Se on minun naapuri.", &[(ThirdPerson, "minun naapuri")]);
    finds_only("Det var min granne.", &[(ThirdPerson, "min granne")]);
    finds_only("Naapurit ovat mukavia, ja äitienpäivä on juhla.", &[]);
}

#[test]
fn p9_a_word_on_ones_own_decision_is_found_for_it_belongs_to_ones_own_worker() {
    finds_only("En hyväksy, että päätökseni on väärä.", &[(OwnMatter, "päätökseni")]);
    finds_only("Se on minun hakemus.", &[(OwnMatter, "minun hakemus")]);
    finds_only("Det gäller mitt beslut.", &[(OwnMatter, "mitt beslut")]);
    finds_only("Päätökset pitäisi kertoa selkokielellä.", &[]);
}

#[test]
fn findings_tell_which_text_and_where() {
    let texts = ["Ei mitään.", "Hei ääkköset, 040 123 4567", "010190-900P"];
    let findings = screen(&texts);
    let words: Vec<_> = findings
        .iter()
        .map(|found| (found.text, found.kind, &texts[found.text][found.start..found.end]))
        .collect();
    assert_eq!(words, [(1, Phone, "040 123 4567"), (2, IdentityCode, "010190-900P")]);
}

#[test]
fn a_text_full_of_codes_gives_a_list_of_bounded_length() {
    let text = "010190-900P ".repeat(MAX_FINDINGS * 3);
    assert_eq!(screen(&[&text, &text]).len(), MAX_FINDINGS);
}

#[test]
fn names_of_kinds_are_unique() {
    let names: std::collections::BTreeSet<_> = FindingKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), FindingKind::ALL.len());
}

/// Anything, with a leaning to what the patterns are about.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,12}",
        "[0-9+ ()A-Fa-fU-Y-]{0,14}",
        "[A-ZÅÄÖ][a-zåäö]{0,9}",
        Just("ohjaaja Virtanen".to_owned()),
        Just("a\u{308}itini ".to_owned()),
        Just("minun ".to_owned()),
        "[ .,:;@\n'’-]{1,3}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_screened_and_findings_lie_on_its_characters(one in texts(), two in "\\PC{0,60}") {
        let texts = [one.as_str(), two.as_str()];
        let findings = screen(&texts);
        for finding in &findings {
            let text = texts[finding.text];
            prop_assert!(finding.start < finding.end && finding.end <= text.len());
            prop_assert!(text.is_char_boundary(finding.start) && text.is_char_boundary(finding.end));
        }
        prop_assert!(findings.is_sorted_by_key(|finding| (finding.text, finding.start)));
        prop_assert_eq!(findings, screen(&texts), "the same text, the same findings");
    }

    #[test]
    fn a_code_is_found_in_any_text(before in "\\PC{0,40}", after in "\\PC{0,40}", day in 1..=31_u32, number in 900..=999_u32) {
        let text = format!("{before} {day:02}0190-{number}P {after}");
        prop_assert!(screen(&[&text]).iter().any(|finding| finding.kind == IdentityCode));
    }
}
