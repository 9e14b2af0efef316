//! Results of rounds that were held with Innoduel.

use proto::proposals as pb;
use tonic::Code;

use super::comparisons;
use crate::support::{POHDE, Store, World, refusal, run};

fn import(csv: &str) -> pb::ImportInnoduelResultRequest {
    pb::ImportInnoduelResultRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        title: "Mielekäs päivä 2025".to_owned(),
        opened_on: "2025-09-22".to_owned(),
        closed_on: "2025-09-30".to_owned(),
        participants: 42,
        csv: csv.to_owned(),
    }
}

async fn import_it(
    world: &World,
    csv: &str,
) -> anyhow::Result<Result<pb::ImportInnoduelResultResponse, tonic::Status>> {
    let request = world.by(world.coordinator(), import(csv))?;
    Ok(comparisons(world).import_innoduel_result(request).await.map(tonic::Response::into_inner))
}

#[tokio::test]
async fn a_result_of_innoduel_is_a_closed_round_ranked_by_win_share() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let csv = "\u{feff}Ehdotus;Voitot;Vertailut\r\nLisää ulkoilua;89;140\r\nYhteinen retki;80;140\r\n\
                       Kahvilavuoroja;56;140\r\nKuvat ohjelmaan;55;140\r\n";
            let imported = import_it(world, csv).await??;
            let round = imported.round.unwrap_or_default();
            assert_eq!((round.state(), round.imported), (pb::RoundState::Closed, true));
            assert_eq!((round.comparisons, round.sessions, round.idea_count), (280, 42, 4));
            let request = pb::PublishRankingRequest {
                tenant: POHDE.to_owned(),
                forum_id: String::new(),
                round_id: round.round_id.clone(),
            };
            comparisons(world).publish_ranking(world.by(world.coordinator(), request)?).await?;
            let request = pb::GetRankingRequest { round_id: round.round_id };
            let told = comparisons(world).get_ranking(request).await?.into_inner();
            let ranking = told.ranking.unwrap_or_default();
            assert_eq!(ranking.basis(), pb::RankingBasis::WinShare);
            let lines: Vec<String> = ranking
                .lines
                .iter()
                .map(|line| {
                    format!("{} {} {:.2}", line.rank, line.text, 100.0 * line.win_share.unwrap_or(0.0))
                })
                .collect();
            let expected = [
                "1 Lisää ulkoilua 63.57",
                "2 Yhteinen retki 57.14",
                "3 Kahvilavuoroja 40.00",
                "4 Kuvat ohjelmaan 39.29",
            ];
            assert_eq!(lines, expected);
            assert!(ranking.lines.iter().all(|line| line.strength.is_none()), "who met whom is not known");
            assert!(told.sensitivity.is_none() && told.municipalities.is_empty());
            assert_eq!(world.event_names().await, ["ComparisonRoundClosed", "RankingPublished"]);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn wrong_lines_of_a_result_are_named_and_nothing_is_stored() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let csv = "idea,wins,comparisons\nLisää ulkoilua,89,140\nYhteinen retki,141,140\nKahvila,x,140\n";
        let status = import_it(world, csv).await?.err();
        let fault = chassis::fault(&status.expect("it is refused"));
        let fields: Vec<&str> = fault.fields().iter().map(|one| one.field.as_str()).collect();
        assert_eq!((fault.code(), fields), ("proposals.import", vec!["csv line 3", "csv line 4"]));
        let doubled = "idea,wins,comparisons\nLisää ulkoilua,10,10\nYhteinen retki,10,10\n";
        assert_eq!(refusal(import_it(world, doubled).await?)?.1, "proposals.import", "both cannot win");
        let ahead = pb::ImportInnoduelResultRequest {
            opened_on: "2026-09-01".to_owned(),
            closed_on: "2026-09-08".to_owned(),
            ..import("idea,wins,comparisons\nLisää ulkoilua,6,10\nYhteinen retki,4,10\n")
        };
        let ahead = world.by(world.coordinator(), ahead)?;
        let ahead = refusal(comparisons(world).import_innoduel_result(ahead).await)?;
        assert_eq!(ahead, (Code::InvalidArgument, "proposals.round".to_owned()), "it is not over");
        let nothing = refusal(import_it(world, "").await?)?;
        assert_eq!(nothing, (Code::InvalidArgument, "proposals.import".to_owned()));
        assert_eq!(world.texts("SELECT COUNT(*) || '' FROM comparison_round").await, ["0"]);
        Ok(())
    })
    .await
}
