//! What a county keeps for a while goes when its days are over (TIHA-12), and only in that county.

use kernel::{AttestationId, Date, PolicyKey};
use membership::domain::tenancy::Policy;
use proto::forums::ElectionConfirmed;
use time::macros::date;

use crate::rolls::{announce, planned_forum};
use crate::support::{ENGINES, World, tenant};

/// A county decides how long something is kept.
async fn keeps(world: &World, county: &str, key: PolicyKey, days: u32) {
    let valid_from = date!(2026 - 01 - 16);
    let policy = Policy { tenant: tenant(county), key, value: days, valid_from };
    world.app.set_policy(&world.command(), policy).await.unwrap();
}

async fn count(world: &World, question: &str) -> i64 {
    world.value(&format!("SELECT count(*) FROM {question}")).await
}

/// A night of the retention job, twice: the second time there is nothing to do.
async fn night(world: &World, day: Date) {
    world.on(day);
    world.app.purge().await.unwrap();
    world.app.purge().await.unwrap();
}

#[tokio::test]
async fn tiha_12_ended_attestations_and_notices_go_when_their_own_county_says() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        keeps(&world, "21", PolicyKey::EndedAttestationDays, 10).await;
        keeps(&world, "21", PolicyKey::NoticeDays, 30).await;
        for (county, place) in [("19", "139"), ("21", "751")] {
            let unit = world.unit(county, "Päivätoiminta", place).await;
            let staff = world.staff(county, unit).await;
            let person = world.person(county, "A-1", None).await;
            world.sign_in(county, person).await;
            let made = world.attest(unit, staff, person, place).await.unwrap();
            let other = world.person(county, "A-2", None).await;
            world.attest(unit, staff, other, place).await.unwrap();
            let id: AttestationId = made.attestation_id.parse().unwrap();
            world.app.revoke_attestation(&world.command(), unit, id).await.unwrap();
        }
        let of = async |county: &str| {
            let attestations = count(&world, &format!("attestation WHERE tenant = '{county}'")).await;
            (attestations, count(&world, &format!("notice WHERE tenant = '{county}'")).await)
        };
        let (before_19, before_21) = (of("19").await, of("21").await);
        assert!(before_19.0 == 2 && before_21.0 == 2 && before_19.1 > 0 && before_21.1 > 0);
        night(&world, date!(2026 - 01 - 25)).await;
        assert_eq!((of("19").await, of("21").await), (before_19, before_21), "the tenth day is kept");
        night(&world, date!(2026 - 01 - 26)).await;
        assert_eq!((of("19").await, of("21").await), (before_19, (1, before_21.1)));
        assert_eq!(count(&world, "attestation WHERE state = 'active'").await, 2, "what is in force stays");
        night(&world, date!(2026 - 02 - 15)).await;
        assert_eq!((of("19").await, of("21").await), (before_19, (1, 0)));
        night(&world, date!(2026 - 04 - 16)).await;
        assert_eq!(of("19").await, (1, before_19.1), "90 days where the county has said nothing");
        night(&world, date!(2027 - 01 - 16)).await;
        assert_eq!(of("19").await, (1, 0), "a year");
        world.close().await;
    }
}

#[tokio::test]
async fn tiha_12_the_entries_of_a_roll_go_after_the_days_for_appeals_and_its_hash_stays() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        keeps(&world, "19", PolicyKey::ElectionAppealDays, 14).await;
        keeps(&world, "21", PolicyKey::ElectionAppealDays, 700).await;
        let forum = planned_forum(&world).await;
        let unit = world.unit("19", "Iin päivätoiminta", "139").await;
        let staff = world.staff("19", unit).await;
        let person = world.person("19", "A-1", None).await;
        world.attest(unit, staff, person, "139").await.unwrap();
        let election = announce(&world, forum, &["139", "751"]).await;
        let published = world.app.roll_summary(election).await.unwrap();
        world.on(date!(2026 - 03 - 02));
        let over = ElectionConfirmed { election_id: election.to_string(), ..Default::default() };
        world.hear("19", &["21"], &over).await;
        night(&world, date!(2026 - 03 - 16)).await;
        assert_eq!(count(&world, "roll_entry").await, 1, "somebody may still appeal");
        night(&world, date!(2026 - 03 - 17)).await;
        assert_eq!(count(&world, "roll_entry").await, 0, "the leading county's policy counts");
        let kept = world.app.roll_summary(election).await.unwrap();
        assert_eq!((&kept.roll_hash, &kept.counts), (&published.roll_hash, &published.counts));
        assert_eq!((kept.matches, kept.hash_now.len()), (false, 0), "there is nothing to compare it with");
        world.app.check_roll(election).await.expect("nor is that a fault");
        // Events that are read again do not freeze another roll.
        world.hear("19", &["21"], &over).await;
        night(&world, date!(2026 - 03 - 18)).await;
        assert_eq!(count(&world, "roll WHERE erased").await, 1);
        world.close().await;
    }
}
