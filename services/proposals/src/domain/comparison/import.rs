//! The result of a round that was held with another tool: a table of ideas, how often each won and how often it was
//! compared. Who met whom is not in it, so such a round is ranked by win share only.
//!
//! Separators, byte order mark and the names of columns vary with the spreadsheet it came through; what is wrong is told
//! by line, all of it at once.

use std::collections::BTreeMap;

use csv::StringRecord;
use kernel::Fault;

use super::idea::IdeaText;
use super::round::MOST_IDEAS;

/// The largest file that is read, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The most faults that are told at once.
const MOST_FAULTS: usize = 20;
/// The largest count that is believed.
const MOST_COUNT: u64 = 1_000_000_000;

/// Names of the columns, as tools and people write them.
const COLUMNS: [(&str, &[&str]); 3] = [
    ("idea", &["idea", "ehdotus", "väite", "vaite", "text", "teksti", "statement", "proposal"]),
    ("wins", &["wins", "won", "voitot", "voittoja", "voitti"]),
    (
        "comparisons",
        &[
            "comparisons",
            "compared",
            "vertailut",
            "vertailuja",
            "duels",
            "kaksintaistelut",
            "kaksinkamppailut",
        ],
    ),
];

/// One idea with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub text: IdeaText,
    /// How often it won.
    pub wins: u64,
    /// How often it was compared.
    pub comparisons: u64,
}

/// Reads a table. Invalid `proposals.import` with a field fault for each wrong line, named `csv line N`.
pub fn read(csv: &str) -> Result<Vec<Line>, Fault> {
    if csv.len() > MOST_BYTES {
        return Err(refused(vec![(1, "a table has at most 64 kibibytes".to_owned())]));
    }
    let csv = csv.trim_start_matches('\u{feff}');
    let head_line = csv.lines().next().unwrap_or_default();
    let delimiter = if head_line.contains(';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(delimiter).flexible(true).has_headers(false).trim(csv::Trim::All);
    let mut records = reader.from_reader(csv.as_bytes()).into_records().map(|record| {
        let record = record
            .map_err(|_| refused(vec![(1, "a line cannot be read; save the table as UTF-8".to_owned())]))?;
        let line = record.position().map_or(1, csv::Position::line);
        Ok::<(u64, StringRecord), Fault>((line, record))
    });
    let Some(head) = records.next() else {
        return Err(refused(vec![(
            1,
            "the table is empty; it begins with the names of its columns".to_owned(),
        )]));
    };
    let (head_number, head) = head?;
    let columns = columns(&head).map_err(|fault| refused(vec![(head_number, fault)]))?;
    let (mut read, mut faults, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for record in records {
        let (number, record) = record?;
        match line_of(&record, columns) {
            Ok(one) => match seen.insert(one.text.as_str().to_lowercase(), number) {
                Some(first) => {
                    faults.push((
                        number,
                        format!("the idea stands on line {first} already; leave one of them out"),
                    ));
                }
                None => read.push(one),
            },
            Err(fault) => faults.push((number, fault)),
        }
        if read.len() > MOST_IDEAS {
            faults.push((number, format!("a round has at most {MOST_IDEAS} ideas; leave the last ones out")));
            break;
        }
    }
    if faults.is_empty() && read.len() < 2 {
        let why = "a result has two ideas at least; write a line for each below the names of the columns";
        faults.push((head_number, why.to_owned()));
    }
    if faults.is_empty()
        && let Err(why) = check_sums(&read)
    {
        faults.push((head_number, why));
    }
    if faults.is_empty() { Ok(read) } else { Err(refused(faults)) }
}

/// Whether these can be the results of comparisons: each stands in the table twice, and one of the two has won.
fn check_sums(lines: &[Line]) -> Result<(), String> {
    let twice: u64 = lines.iter().map(|line| line.comparisons).sum();
    let wins: u64 = lines.iter().map(|line| line.wins).sum();
    if twice % 2 == 1 || wins != twice / 2 {
        return Err(format!(
            "all wins are half of all comparisons, and {wins} are not half of {twice}; take the whole table over"
        ));
    }
    match lines.iter().find(|line| line.comparisons > twice / 2) {
        Some(line) => Err(format!(
            "\"{}\" was compared more often than all others together; correct its line",
            line.text.as_str()
        )),
        None => Ok(()),
    }
}

/// Where the three columns stand.
fn columns(head: &StringRecord) -> Result<[usize; 3], String> {
    let mut found = [0; 3];
    for (place, (name, names)) in found.iter_mut().zip(COLUMNS) {
        let is_it = |cell: &str| names.contains(&cell.to_lowercase().as_str());
        *place = head.iter().position(is_it).ok_or_else(|| {
            format!("there is no column \"{name}\"; name one of the columns {}", names.join(", "))
        })?;
    }
    Ok(found)
}

fn line_of(record: &StringRecord, columns: [usize; 3]) -> Result<Line, String> {
    let cell = |column: usize| record.get(columns[column]).unwrap_or_default();
    let text = IdeaText::new("idea", cell(0))
        .map_err(|_| "an idea is one line of 1 to 60 characters; shorten it".to_owned())?;
    let count = |column: usize| -> Result<u64, String> {
        let name = COLUMNS[column].0;
        let refused = || format!("{name} is a whole number from 0 to {MOST_COUNT}; send digits only");
        let digits = cell(column);
        let number =
            if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
        number.filter(|number| *number <= MOST_COUNT).ok_or_else(refused)
    };
    let (wins, comparisons) = (count(1)?, count(2)?);
    if wins > comparisons {
        return Err(format!("{wins} wins of {comparisons} comparisons cannot be; correct one of them"));
    }
    Ok(Line { text, wins, comparisons })
}

fn refused(faults: Vec<(u64, String)>) -> Fault {
    let count = faults.len();
    let fault = Fault::invalid(
        "proposals.import",
        format!("The table cannot be read: {count} lines are wrong, see the fields."),
    );
    faults.into_iter().take(MOST_FAULTS).fold(fault, |fault, (line, why)| {
        let (rule, remedy) = why.split_once("; ").unwrap_or((&why, "correct the line"));
        fault.field(format!("csv line {line}"), rule.to_owned(), remedy.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn short(csv: &str) -> Vec<(String, u64, u64)> {
        read(csv)
            .unwrap()
            .into_iter()
            .map(|line| (line.text.as_str().to_owned(), line.wins, line.comparisons))
            .collect()
    }

    fn faults(csv: &str) -> Vec<(String, String)> {
        let fault = read(csv).unwrap_err();
        assert_eq!(fault.code(), "proposals.import");
        fault.fields().iter().map(|one| (one.field.clone(), one.rule.to_string())).collect()
    }

    #[test]
    fn commas_semicolons_marks_and_names_in_two_languages_are_read() {
        let expected =
            vec![("Lisää, ulkoilua".to_owned(), 89, 140), ("Retki \"kaikille\"".to_owned(), 51, 140)];
        for csv in [
            "idea,wins,comparisons\n\"Lisää, ulkoilua\",89,140\n\"Retki \"\"kaikille\"\"\",51,140\n",
            "\u{feff}Idea;Voitot;Vertailut\r\nLisää, ulkoilua;89;140\r\n\r\n\"Retki \"\"kaikille\"\"\";51;140\r\n",
            "vertailuja; voittoja ; Väite; muuta\n140;89;Lisää, ulkoilua;x\n140; 51 ;\"Retki \"\"kaikille\"\"\";y",
        ] {
            assert_eq!(short(csv), expected, "{csv:?}");
        }
    }

    #[test]
    fn every_wrong_line_is_named() {
        let csv = "idea;wins;comparisons\nYksi;3;4\nKaksi;5;4\n;1;2\nyksi;1;2\nKolme;1,5;2\nNeljä;1\n\"Viisi;1;2\nKuusi;1;2";
        let lines: Vec<String> = faults(csv).into_iter().map(|(line, _)| line).collect();
        assert_eq!(
            lines,
            ["csv line 3", "csv line 4", "csv line 5", "csv line 6", "csv line 7", "csv line 8"]
        );
        assert!(faults(csv)[2].1.contains("line 2"), "{:?}", faults(csv)[2]);
    }

    #[test]
    fn what_cannot_be_the_results_of_comparisons_is_refused() {
        for (csv, says) in [
            ("idea,wins,comparisons\nA,10,10\nB,10,10", "half of 20"),
            ("idea,wins,comparisons\nA,1,2\nB,1,1", "half of 3"),
            ("idea,wins,comparisons\nA,10,12\nB,0,4\nC,0,4", "more often than all others"),
        ] {
            let told = faults(csv);
            assert!(told.len() == 1 && told[0].1.contains(says), "{told:?}");
        }
        assert_eq!(short("idea,wins,comparisons\nA,3,4\nB,0,2\nC,1,2").len(), 3);
    }

    #[test]
    fn a_table_needs_its_columns_and_two_ideas_and_an_end() {
        assert_eq!(faults("")[0].0, "csv line 1");
        assert!(faults("idea;wins\nYksi;1")[0].1.contains("comparisons"));
        assert_eq!(faults("idea;wins;comparisons\nYksi;1;1").len(), 1);
        let many: String = (0..70).map(|number| format!("Idea {number},1,2\n")).collect();
        assert_eq!(faults(&format!("idea,wins,comparisons\n{many}")).len(), 1);
        assert_eq!(faults(&"x".repeat(MOST_BYTES + 1))[0].0, "csv line 1");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(csv in "(idea|wins|comparisons|[;,\"\n\r0-9a-zä ]){0,200}") {
            if let Ok(lines) = read(&csv) {
                prop_assert!((2..=MOST_IDEAS).contains(&lines.len()));
                prop_assert!(lines.iter().all(|line| line.wins <= line.comparisons));
            }
        }
    }
}
