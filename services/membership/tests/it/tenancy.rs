//! Counties, policy, regions, units: what is set, refused, told.

use kernel::{PageSize, PolicyKey};
use membership::domain::tenancy::{Policy, Region, ServiceUnit, UnitKind};
use proto::membership as pb;
use time::macros::date;

use crate::support::{ENGINES, World, municipality, refused, tenant};

#[tokio::test]
async fn policy_is_dated_published_and_not_changed_afterwards() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let policy = |value, valid_from| Policy {
            tenant: tenant("19"),
            key: PolicyKey::TallyThreshold,
            value,
            valid_from,
        };
        let command = world.command();
        let set = world.app.set_policy(&command, policy(30, date!(2026 - 03 - 01))).await.unwrap();
        let repeated = world.app.set_policy(&command, policy(30, date!(2026 - 03 - 01))).await.unwrap();
        assert_eq!(repeated, set);
        world.app.set_policy(&world.command(), policy(40, date!(2026 - 03 - 01))).await.unwrap();
        let past = world.app.set_policy(&world.command(), policy(5, date!(2026 - 01 - 14))).await;
        assert_eq!(refused(past), "membership.policy_has_begun");

        let all = world.app.list_policies(tenant("19")).await.unwrap().policies;
        let of_key: Vec<_> = all.iter().filter(|one| one.key == "tally_threshold").collect();
        assert_eq!(of_key.len(), 2, "the default and the county's own");
        assert_eq!((of_key[0].value.as_str(), of_key[0].valid_from.as_str()), ("20", ""));
        assert_eq!((of_key[1].value.as_str(), of_key[1].valid_from.as_str()), ("40", "2026-03-01"));
        assert_eq!(all.len(), PolicyKey::ALL.len() + 1);
        let told: Vec<String> =
            world.published::<pb::PolicySet>().await.into_iter().map(|event| event.value).collect();
        assert_eq!(told, ["30", "40"]);
        assert_eq!(refused(world.app.list_policies(tenant("01")).await), "membership.tenant_not_served");
        world.close().await;
    }
}

#[tokio::test]
async fn s1_4_a_region_crosses_the_border_and_keeps_its_name_to_itself() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let region = || Region {
            id: world.id(),
            tenant: tenant("19"),
            name: "Oulunkaari".to_owned(),
            municipalities: ["139", "615", "889", "785", "751"].map(municipality).to_vec(),
            valid_from: date!(2026 - 01 - 01),
        };
        world.app.define_region(&world.command(), region()).await.unwrap();
        let twice = world.app.define_region(&world.command(), region()).await;
        assert_eq!(refused(twice), "membership.region_already_defined");
        let elsewhere =
            Region { tenant: tenant("21"), municipalities: vec![municipality("139")], ..region() };
        let answer = world.app.define_region(&world.command(), elsewhere).await;
        assert_eq!(refused(answer), "membership.region_elsewhere");
        let listed = world.app.list_regions(tenant("19")).await.unwrap().regions;
        assert_eq!(listed[0].municipalities, ["139", "615", "751", "785", "889"]);
        assert_eq!(world.published::<pb::RegionDefined>().await.len(), 1);
        world.close().await;
    }
}

#[tokio::test]
async fn units_are_paged_by_name() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        for number in 0..5 {
            world.unit("19", &format!("Yksikkö {number}"), "139").await;
        }
        world.unit("21", "Simon päivätoiminta", "751").await;
        let size = PageSize::new(2).unwrap();
        let mut names = Vec::new();
        let mut token = String::new();
        loop {
            let page = world.app.list_units(tenant("19"), size, &token).await.unwrap();
            assert!(page.units.len() <= 2);
            names.extend(page.units.into_iter().map(|unit| unit.name));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            let other = world.app.list_units(tenant("21"), size, &token).await;
            assert_eq!(refused(other), "request.invalid", "a token belongs to its list");
        }
        assert_eq!(names, ["Yksikkö 0", "Yksikkö 1", "Yksikkö 2", "Yksikkö 3", "Yksikkö 4"]);

        let unit = |name: &str, place| ServiceUnit {
            id: world.id(),
            tenant: tenant("19"),
            name: name.to_owned(),
            kind: UnitKind::Housing,
            municipality: municipality(place),
        };
        let taken = world.app.register_unit(&world.command(), unit("Yksikkö 0", "615")).await;
        assert_eq!(refused(taken), "membership.unit_already_registered");
        let simo = world.app.register_unit(&world.command(), unit("Simo", "751")).await;
        assert_eq!(refused(simo), "membership.municipality_not_in_county");
        assert_eq!(world.app.list_tenants().tenants.len(), 2);
        assert_eq!(world.app.list_tenants().tenants[0].name_fi, "Pohjois-Pohjanmaan hyvinvointialue");
        world.close().await;
    }
}
