//! Texts in several forms, through the contracts.

mod answers;
mod counties;

use kernel::{Caller, ProposalId, Role, ScopeRef};
use proto::common::Role as PbRole;
use proto::proposals as pb;
use proto::proposals::texts_service_client::TextsServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::support::{LAPHA, POHDE, Store, World, refusal, run, tenant};

/// Who writes for staff: the caller with the scope that the request names.
#[derive(Clone)]
struct Hand {
    caller: Caller,
    tenant: String,
    forum_id: String,
    unit_id: String,
}

impl World {
    fn texts_service(&self) -> TextsServiceClient<Channel> {
        TextsServiceClient::new(self.system.channel())
    }

    fn hand(&self, caller: Caller) -> Hand {
        let mut hand =
            Hand { caller, tenant: String::new(), forum_id: String::new(), unit_id: String::new() };
        match hand.caller.roles[0].scope {
            ScopeRef::Tenant(county) => hand.tenant = county.to_string(),
            ScopeRef::Forum(forum) => hand.forum_id = forum.to_string(),
            ScopeRef::Unit(unit) => hand.unit_id = unit.to_string(),
            other => panic!("{other} handles no texts"),
        }
        hand
    }

    fn writing(&self, hand: &Hand, proposal: ProposalId, form: &str, content: &str) -> pb::WriteFormRequest {
        pb::WriteFormRequest {
            tenant: hand.tenant.clone(),
            forum_id: hand.forum_id.clone(),
            unit_id: hand.unit_id.clone(),
            proposal_id: proposal.to_string(),
            owner: pb::TextOwner::Proposal.into(),
            field: pb::TextField::Summary.into(),
            form: form.to_owned(),
            content: content.to_owned(),
            ..pb::WriteFormRequest::default()
        }
    }

    async fn write(&self, hand: &Hand, request: pb::WriteFormRequest) -> Result<pb::Form, Status> {
        let request = self.by(hand.caller.clone(), request).unwrap();
        let written = self.texts_service().write_form(request).await?.into_inner();
        Ok(written.form.unwrap())
    }

    async fn review(
        &self,
        hand: &Hand,
        proposal: ProposalId,
        form: &pb::Form,
        method: pb::ReviewMethod,
    ) -> Result<pb::Form, Status> {
        let request = pb::ReviewFormRequest {
            tenant: hand.tenant.clone(),
            forum_id: hand.forum_id.clone(),
            unit_id: hand.unit_id.clone(),
            proposal_id: proposal.to_string(),
            owner: pb::TextOwner::Proposal.into(),
            owner_id: String::new(),
            field: form.field,
            form: form.form.clone(),
            revision: form.revision,
            method: method.into(),
        };
        let request = self.by(hand.caller.clone(), request).unwrap();
        Ok(self.texts_service().review_form(request).await?.into_inner().form.unwrap())
    }

    async fn public_forms(&self, proposal: ProposalId) -> anyhow::Result<pb::Texts> {
        let request = pb::ListFormsRequest {
            proposal_id: proposal.to_string(),
            owner: pb::TextOwner::Proposal.into(),
            owner_id: String::new(),
        };
        let texts = self.texts_service().list_forms(request).await?.into_inner().texts;
        Ok(texts.unwrap_or_default())
    }

    async fn in_work(
        &self,
        hand: &Hand,
        proposal: ProposalId,
    ) -> Result<pb::ListFormsInWorkResponse, Status> {
        let request = pb::ListFormsInWorkRequest {
            tenant: hand.tenant.clone(),
            forum_id: hand.forum_id.clone(),
            unit_id: hand.unit_id.clone(),
            proposal_id: proposal.to_string(),
            owner: pb::TextOwner::Proposal.into(),
            owner_id: String::new(),
            purpose: "Selkokielinen versio tehdään".to_owned(),
        };
        let request = self.by(hand.caller.clone(), request).unwrap();
        Ok(self.texts_service().list_forms_in_work(request).await?.into_inner())
    }

    async fn waiting_texts(&self) -> anyhow::Result<Vec<String>> {
        let request = pb::ListWaitingTextsRequest {
            tenant: POHDE.to_owned(),
            ..pb::ListWaitingTextsRequest::default()
        };
        let request = self.by(self.coordinator(), request)?;
        let waiting = self.texts_service().list_waiting_texts(request).await?.into_inner().waiting;
        Ok(waiting.into_iter().map(|one| one.owner_id).collect())
    }
}

/// Form and state of each form of a field.
fn states(texts: &pb::Texts, field: pb::TextField) -> Vec<(String, pb::FormState)> {
    let of_field = texts.forms.iter().filter(|form| form.field() == field);
    of_field.map(|form| (form.form.clone(), form.state())).collect()
}

#[tokio::test]
async fn negative_test_13_a_text_is_plain_language_only_after_a_human_reviewed_it() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
            let staff = world.hand(world.staff(world.units.ii_day));
            let secretary = world.hand(world.coordinator());
            let request = world.writing(&staff, proposal, "fi-selko", "Ulos!");
            let answer = world.texts_service().write_form(world.by(staff.caller.clone(), request)?).await?;
            let pb::WriteFormResponse { form, hint, findings: _ } = answer.into_inner();
            let (written, hint) = (form.unwrap(), hint.unwrap());
            // As short as can be by every measure, and still no plain language.
            assert_eq!((hint.sentences, hint.words, hint.long_words, hint.long_sentences), (1, 1, 0, 0));
            assert_eq!((written.state(), written.plain_language), (pb::FormState::Draft, false));
            let public = world.public_forms(proposal).await?;
            assert!(public.forms.iter().all(|form| form.form == "fi" && !form.plain_language), "{public:?}");

            for not_enough in [pb::ReviewMethod::Screening, pb::ReviewMethod::LanguageCheck] {
                let refused = world.review(&secretary, proposal, &written, not_enough).await;
                assert_eq!(refusal(refused)?, (Code::InvalidArgument, "proposals.review_method".to_owned()));
            }
            let method = pb::ReviewMethod::WithReaders;
            let reviewed = world.review(&staff, proposal, &written, method).await?;
            assert_eq!((reviewed.state(), reviewed.plain_language), (pb::FormState::Reviewed, true));
            assert_eq!((reviewed.reviewed_by_role(), reviewed.review_method()), (PbRole::UnitStaff, method));
            assert_eq!(reviewed.reviewed_on, "2026-09-07");
            assert_eq!(world.review(&staff, proposal, &written, method).await?, reviewed, "done already");
            let public = world.public_forms(proposal).await?;
            assert!(public.forms.contains(&reviewed));
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn p9_what_may_be_personal_data_in_a_form_of_staff_is_shown_to_them() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let staff = world.hand(world.staff(world.units.ii_day));
        let request = world.writing(&staff, proposal, "fi-selko", "Soita 040 123 4567.");
        let request = world.by(staff.caller.clone(), request)?;
        let written = world.texts_service().write_form(request).await?.into_inner();
        let found: Vec<_> = written
            .findings
            .iter()
            .map(|one| (one.kind.as_str(), one.place.as_str(), one.starts_at))
            .collect();
        assert_eq!(found, [("phone", "summary", 6)], "a hint, not a refusal");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_changed_source_makes_its_forms_out_of_date_and_they_are_shown_marked_and_wait()
-> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
            let staff = world.hand(world.manager(world.units.ii_day));
            let coordinator = world.hand(world.coordinator());
            let selko = world.write(&staff, world.writing(&staff, proposal, "fi-selko", "Ulos!")).await?;
            assert_eq!(world.waiting_texts().await?, [proposal.to_string()]);
            let method = pb::ReviewMethod::PlainLanguageCheck;
            world.review(&staff, proposal, &selko, method).await?;
            assert_eq!(world.waiting_texts().await?, [""; 0]);

            // The author's words are changed by the coordinator alone, and never go back to a draft.
            let words = "Haluamme ulos joka päivä.";
            let refused = world.write(&staff, world.writing(&staff, proposal, "fi", words)).await;
            assert_eq!(refusal(refused)?, (Code::PermissionDenied, "proposals.authors_words".to_owned()));
            let request = world.writing(&coordinator, proposal, "fi", words);
            let refused = world.write(&coordinator, request.clone()).await;
            assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.form_is_public".to_owned()));
            let screened = pb::WriteFormRequest { reviewed: pb::ReviewMethod::Screening.into(), ..request };
            let source = world.write(&coordinator, screened.clone()).await?;
            assert_eq!((source.state(), source.source, source.revision), (pb::FormState::Reviewed, true, 2));
            assert_eq!(world.write(&coordinator, screened).await?, source, "done already");

            let expected = [
                ("fi".to_owned(), pb::FormState::Reviewed),
                ("fi-selko".to_owned(), pb::FormState::OutOfDate),
            ];
            let public = world.public_forms(proposal).await?;
            assert_eq!(states(&public, pb::TextField::Summary), expected, "shown, and marked");
            assert_eq!(world.waiting_texts().await?, [proposal.to_string()]);
            let refused = world.review(&staff, proposal, &selko, method).await;
            assert_eq!(
                refusal(refused)?,
                (Code::FailedPrecondition, "proposals.form_out_of_date".to_owned())
            );

            let request = pb::WriteFormRequest {
                reviewed: method.into(),
                ..world.writing(&staff, proposal, "fi-selko", "Ulos joka päivä!")
            };
            let anew = world.write(&staff, request).await?;
            assert_eq!((anew.state(), anew.plain_language), (pb::FormState::Reviewed, true));
            assert_eq!(world.waiting_texts().await?, [""; 0]);
            let refused = world.review(&staff, proposal, &selko, method).await;
            assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.form_changed".to_owned()));
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn p9_who_reviews_what_staff_wrote_is_told_of_what_may_be_personal_data() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let staff = world.hand(world.staff(world.units.ii_day));
        assert_eq!(
            world.in_work(&staff, proposal).await?.findings,
            [],
            "what is reviewed is not asked about"
        );
        let request = world.writing(&staff, proposal, "fi-selko", "Ulos! Soita 040 123 4567.");
        let written = world.write(&staff, request).await?;
        let found = world.in_work(&staff, proposal).await?.findings;
        let [one] = &found[..] else { panic!("one finding: {found:?}") };
        let finding = one.finding.clone().unwrap_or_default();
        assert_eq!((one.field(), one.form.as_str()), (pb::TextField::Summary, "fi-selko"));
        assert_eq!((finding.kind.as_str(), finding.starts_at, finding.length), ("phone", 12, 12));
        world.review(&staff, proposal, &written, pb::ReviewMethod::PlainLanguageCheck).await?;
        assert_eq!(world.in_work(&staff, proposal).await?.findings, [], "a human has decided");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p2_what_is_missing_before_the_forum_is_told_until_it_is_there() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let staff = world.hand(world.staff(world.units.ii_day));
        let missing = async || -> anyhow::Result<Vec<(pb::TextField, String)>> {
            let missing = world.in_work(&staff, proposal).await?.missing;
            Ok(missing.iter().map(|one| (one.field(), one.form.clone())).collect())
        };
        let plain = |field: pb::TextField| (field, "fi-selko".to_owned());
        let (title, summary) = (plain(pb::TextField::Title), plain(pb::TextField::Summary));
        let picture = (pb::TextField::Unspecified, String::new());
        assert_eq!(missing().await?, [title, summary, picture.clone()]);
        for field in [pb::TextField::Title, pb::TextField::Summary] {
            let request = pb::WriteFormRequest {
                field: field.into(),
                reviewed: pb::ReviewMethod::SelkoMeter2.into(),
                ..world.writing(&staff, proposal, "fi-selko", "Ulos!")
            };
            world.write(&staff, request).await?;
        }
        assert_eq!(missing().await?, [picture]);
        let set = pb::SetSymbolsRequest {
            unit_id: staff.unit_id.clone(),
            proposal_id: proposal.to_string(),
            owner: pb::TextOwner::Proposal.into(),
            symbols: vec!["outdoors".to_owned(), "walk".to_owned()],
            ..pb::SetSymbolsRequest::default()
        };
        let wrong = pb::SetSymbolsRequest { symbols: vec!["dragon".to_owned()], ..set.clone() };
        let refused = world.texts_service().set_symbols(world.by(staff.caller.clone(), wrong)?).await;
        assert_eq!(refusal(refused)?, (Code::InvalidArgument, "request.invalid".to_owned()));
        let set = world.by(staff.caller.clone(), set)?;
        let texts = world.texts_service().set_symbols(set).await?.into_inner().texts.unwrap();
        assert_eq!(texts.symbols, ["outdoors", "walk"]);
        assert_eq!(missing().await?, []);
        let public = world.public_forms(proposal).await?;
        assert_eq!((public.symbols.len(), public.symbols_state()), (2, pb::FormState::Reviewed));
        let known = world.texts_service().list_symbols(pb::ListSymbolsRequest {}).await?.into_inner().symbols;
        assert!(known.iter().any(|one| one.code == "walk" && one.label_sv == "promenad"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_author_writes_forms_of_the_draft_and_of_nothing_else() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let draft = world.draft("Päivätoimintaan lisää ulkoilua").await?;
        let write = |form: &str, content: &str| pb::WriteMyFormRequest {
            proposal_id: draft.to_string(),
            field: pb::TextField::Title.into(),
            form: form.to_owned(),
            content: content.to_owned(),
        };
        let author = || world.client(1);
        let send = async |caller, request| {
            world.texts_service().write_my_form(world.by(caller, request).unwrap()).await
        };
        let written = send(author(), write("en", "More outdoors")).await?.into_inner().form.unwrap();
        assert_eq!((written.state(), written.source), (pb::FormState::Draft, false));
        let set =
            pb::SetMySymbolsRequest { proposal_id: draft.to_string(), symbols: vec!["outdoors".to_owned()] };
        world.texts_service().set_my_symbols(world.by(author(), set.clone())?).await?;

        let stranger = send(world.client(2), write("en", "Less")).await;
        assert_eq!(refusal(stranger)?, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
        let long = send(author(), write("en", &"x".repeat(121))).await;
        assert_eq!(refusal(long)?, (Code::InvalidArgument, "request.invalid".to_owned()));
        let reasons = pb::WriteMyFormRequest { field: pb::TextField::Reasons.into(), ..write("en", "x") };
        assert_eq!(refusal(send(author(), reasons).await)?.0, Code::InvalidArgument);
        // Nobody else sees a draft, whatever their role.
        let coordinator = world.hand(world.coordinator());
        let refused = world.in_work(&coordinator, draft).await;
        assert_eq!(refusal(refused)?, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
        assert!(world.public_forms(draft).await.is_err());

        let mine = pb::ListMyFormsRequest { proposal_id: draft.to_string() };
        let request = world.by(author(), mine.clone())?;
        let texts = world.texts_service().list_my_forms(request).await?.into_inner().texts.unwrap();
        let drafts = |form: &str| (form.to_owned(), pb::FormState::Draft);
        assert_eq!(states(&texts, pb::TextField::Title), [drafts("fi"), drafts("en")]);
        assert_eq!((texts.symbols.len(), texts.symbols_state()), (1, pb::FormState::Draft));
        let refused = world.texts_service().list_my_forms(world.by(world.client(2), mine)?).await;
        assert_eq!(refusal(refused)?.0, Code::NotFound);

        let submit = pb::SubmitProposalRequest {
            proposal_id: draft.to_string(),
            ..pb::SubmitProposalRequest::default()
        };
        world.proposals().submit_proposal(world.by(author(), submit)?).await?;
        let late = send(author(), write("en", "Changed my mind")).await;
        assert_eq!(refusal(late)?, (Code::FailedPrecondition, "proposals.not_a_draft".to_owned()));
        let late = world.texts_service().set_my_symbols(world.by(author(), set)?).await;
        assert_eq!(refusal(late)?, (Code::FailedPrecondition, "proposals.not_a_draft".to_owned()));
        // Screened: the source and the picture are public, the author's English waits for somebody who reads it.
        world.screen(draft).await?;
        let public = world.public_forms(draft).await?;
        assert_eq!(states(&public, pb::TextField::Title), [("fi".to_owned(), pb::FormState::Reviewed)]);
        assert_eq!(public.symbols, ["outdoors"]);
        assert_eq!(world.waiting_texts().await?, [draft.to_string()]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn staff_of_others_does_not_handle_a_text_and_who_brought_in_a_machines_does_not_review_it()
-> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let strangers = [
            world.staff(world.units.ii_work),
            world.manager(world.units.simo_day),
            world.coordinator_of(LAPHA),
            world.secretary(world.forum),
        ];
        for stranger in strangers {
            let hand = world.hand(stranger);
            let refused = world.write(&hand, world.writing(&hand, proposal, "sv", "Ut")).await;
            assert_eq!(refusal(refused)?, (Code::NotFound, "proposals.no_such_proposal".to_owned()));
            assert_eq!(refusal(world.in_work(&hand, proposal).await)?.0, Code::NotFound);
        }
        for role in [Role::Auditor, Role::Administrator] {
            let hand = world.hand(world.officer(role, ScopeRef::Tenant(tenant(POHDE))));
            let refused = world.write(&hand, world.writing(&hand, proposal, "sv", "Ut")).await;
            // No scope that the request names is one that lets this role in.
            assert_eq!(refusal(refused)?, (Code::PermissionDenied, "access.scope".to_owned()), "{role}");
        }

        let staff = world.hand(world.staff(world.units.ii_day));
        let coordinator = world.hand(world.coordinator());
        let machine = |content: &str| pb::WriteFormRequest {
            automatic: true,
            ..world.writing(&staff, proposal, "sv", content)
        };
        let written = world.write(&staff, machine("Vi vill ut.")).await?;
        assert!(written.automatic);
        let method = pb::ReviewMethod::LanguageCheck;
        let refused = world.review(&staff, proposal, &written, method).await;
        assert_eq!(refusal(refused)?, (Code::PermissionDenied, "proposals.own_automatic_text".to_owned()));
        let at_once = pb::WriteFormRequest { reviewed: method.into(), ..machine("Vi vill ut nu.") };
        let refused = world.write(&staff, at_once).await;
        assert_eq!(refusal(refused)?, (Code::PermissionDenied, "proposals.own_automatic_text".to_owned()));
        let screening = world.review(&staff, proposal, &written, pb::ReviewMethod::Screening).await;
        assert_eq!(refusal(screening)?, (Code::PermissionDenied, "proposals.not_a_screener".to_owned()));
        let reviewed = world.review(&coordinator, proposal, &written, method).await?;
        assert_eq!((reviewed.state(), reviewed.content.as_str()), (pb::FormState::Reviewed, "Vi vill ut."));

        let answer = pb::WriteFormRequest {
            owner: pb::TextOwner::Response.into(),
            owner_id: world.ids.uuid().to_string(),
            ..world.writing(&staff, proposal, "sv", "Ut")
        };
        let refused = world.write(&staff, answer).await;
        assert_eq!(refusal(refused)?, (Code::NotFound, "proposals.no_such_text".to_owned()));
        let unread = pb::WriteFormRequest {
            field: pb::TextField::YouSaid.into(),
            ..world.writing(&staff, proposal, "sv", "Ut")
        };
        assert_eq!(refusal(world.write(&staff, unread).await)?.0, Code::InvalidArgument);
        // What staff changed is in the audit log, with what it was about.
        let noted = "SELECT COUNT(*) FROM audit_log WHERE rpc LIKE '%TextsService/ReviewForm'";
        assert!(world.value::<i64>(noted).await >= 1);
        Ok(())
    })
    .await
}
