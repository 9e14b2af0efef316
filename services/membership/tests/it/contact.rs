//! How people are told: by e-mail through a real mail server, by letter, in the service whatever happens outside.

use kernel::{Caller, NoticeId, PageSize, ParticipantId, Scope, Subject};
use membership::app::Ask;
use membership::domain::contact::{Channel, Contact};
use membership::mail::{Mailer, Smtp};
use messaging::{DatabaseKind, JobError};
use proto::membership as pb;
use proto::membership::contact_service_client::ContactServiceClient;
use time::macros::date;
use tonic::Code;

use crate::mail_server::MailServer;
use crate::support::{ENGINES, World, refused, tenant};
use crate::wire::{Served, code_of};

/// How long a job may take to be run.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

fn by_mail(form: &str, email: &str) -> Contact {
    Contact::new(Channel::Email, form, email, &[]).unwrap()
}

fn by_letter() -> Contact {
    let lines = ["Rantatie 1 A 2", "91100 Ii"].map(str::to_owned);
    Contact::new(Channel::Letter, "sv", "", &lines).unwrap()
}

/// Somebody who can be told.
struct Told {
    id: ParticipantId,
    caller: Caller,
    at_forums: Subject,
}

impl Told {
    /// Comes on the first day, when the card is the notice of the day.
    async fn come(world: &World, key: &str) -> Told {
        let id = world.person("19", key, None).await;
        let session = world.sign_in("19", id).await;
        let at_forums = world.token(&session, "forums").await.unwrap().subject.parse().unwrap();
        Told { id, caller: world.caller(&session).await, at_forums }
    }

    async fn wants(&self, world: &World, contact: Contact) {
        world.app.set_my_contact(&world.command(), &self.caller, tenant("19"), contact).await.unwrap();
    }

    /// Tells them: the notice's id.
    async fn told(&self, world: &World, key: &str) -> NoticeId {
        let ask = Ask {
            service: "forums".to_owned(),
            template: "forums.voting_open".to_owned(),
            dedupe_key: key.to_owned(),
            urgent: true,
        };
        world.app.notify(&world.command(), ask, vec![self.at_forums]).await.unwrap();
        let id: kernel::Uuid =
            world.value(&format!("SELECT id FROM notice WHERE dedupe_key = '{key}'")).await;
        id.into()
    }

    /// How many notices they see in the service.
    async fn seen(&self, world: &World) -> usize {
        world.app.my_notices(&self.caller, PageSize::new(0).unwrap(), "").await.unwrap().notices.len()
    }
}

async fn counts(world: &World) -> (u64, u64, u64) {
    let counts = world.app.delivery_counts(tenant("19")).await.unwrap();
    (counts.mail_waiting, counts.mail_failed, counts.letters_waiting)
}

#[tokio::test]
async fn an_e_mail_says_in_the_persons_form_that_something_waits_and_goes_once() {
    for engine in ENGINES {
        let server = MailServer::start();
        let world = World::open_with(engine, server.mailer()).await;
        let aino = Told::come(&world, "A-1").await;
        let silent = Told::come(&world, "A-2").await;
        aino.wants(&world, by_mail("fi-selko", "aino@esimerkki.fi")).await;
        silent.told(&world, "first").await;
        assert_eq!(counts(&world).await, (0, 0, 0), "nobody is written to who did not ask for it");
        let notice = aino.told(&world, "second").await;
        assert_eq!(counts(&world).await, (1, 0, 0));
        for _ in 0..2 {
            world.app.send_mail(notice, 0, 1).await.unwrap();
        }
        let got = server.got();
        assert_eq!(got.len(), 1, "sent once: {got:?}");
        assert_eq!(
            (&got[0]["to"][0], &got[0]["subject"]),
            (&"aino@esimerkki.fi".into(), &"Sinulle on viesti".into())
        );
        let headers = got[0]["headers"].as_array().unwrap();
        assert!(headers.contains(&"Auto-Submitted".into()), "no machine answers it: {headers:?}");
        assert_eq!(got[0]["id"], format!("<{notice}@esimerkki.fi>"));
        let whole = got[0].to_string();
        for word in ["voting", "forums", "Person", "A-1", "vaali"] {
            assert!(!whole.contains(word), "no content: {whole}");
        }
        assert!(got[0]["body"].as_str().unwrap().contains("Kirjaudu palveluun.\n"), "{whole}");
        assert_eq!((counts(&world).await, aino.seen(&world).await), ((0, 0, 0), 2), "and in the service too");
        // Sealed: neither the table nor the log of answers nor the job has the address.
        for question in
            ["SELECT sealed FROM contact", "SELECT response FROM command_log", "SELECT payload FROM job"]
        {
            for bytes in world.bytes(question).await {
                assert!(!bytes.windows(4).any(|part| part == b"aino"), "{question}");
            }
        }
        let read = world.app.my_contact(&aino.caller, tenant("19")).await.unwrap().contact.unwrap();
        assert_eq!((read.email.as_str(), read.form.as_str()), ("aino@esimerkki.fi", "fi-selko"));
        world.close().await;
    }
}

#[tokio::test]
async fn a_held_notice_leaves_on_its_day_and_not_before() {
    for engine in ENGINES {
        let server = MailServer::start();
        let world = World::open_with(engine, server.mailer()).await;
        let aino = Told::come(&world, "A-1").await;
        aino.wants(&world, by_mail("en", "aino@esimerkki.fi")).await;
        let ask = Ask {
            service: "forums".to_owned(),
            template: "forums.result".to_owned(),
            dedupe_key: "held".to_owned(),
            urgent: false,
        };
        world.app.notify(&world.command(), ask, vec![aino.at_forums]).await.unwrap();
        assert_eq!(counts(&world).await, (0, 0, 0), "the card was the notice of the day");
        let held: kernel::Uuid = world.value("SELECT id FROM notice WHERE dedupe_key = 'held'").await;
        world.on(date!(2026 - 01 - 16));
        for _ in 0..2 {
            world.app.deliver_notice(held.into()).await.unwrap();
        }
        assert_eq!(counts(&world).await, (1, 0, 0));
        assert_eq!(world.value::<i64>("SELECT count(*) FROM job WHERE kind = 'membership.mail'").await, 1);
        world.close().await;
    }
}

#[tokio::test]
async fn what_does_not_get_through_stays_in_the_service_and_is_counted() {
    for engine in ENGINES {
        let mut server = MailServer::start();
        let world = World::open_with(engine, server.mailer()).await;
        let told = Told::come(&world, "A-1").await;
        let transient = |result: Result<(), JobError>| match result {
            Err(JobError::Transient(text)) => assert!(!text.contains('@'), "{text}"),
            other => panic!("not for now: {other:?}"),
        };
        told.wants(&world, by_mail("fi", "bounce@esimerkki.fi")).await;
        let notice = told.told(&world, "bounces").await;
        world.app.send_mail(notice, 0, 1).await.unwrap();
        assert_eq!(counts(&world).await, (0, 1, 0), "refused for good");
        told.wants(&world, by_mail("fi", "busy@esimerkki.fi")).await;
        let notice = told.told(&world, "busy").await;
        transient(world.app.send_mail(notice, 0, 1).await);
        transient(world.app.send_mail(notice, 0, 7).await);
        assert_eq!(counts(&world).await, (1, 1, 0));
        world.app.send_mail(notice, 0, 8).await.unwrap();
        assert_eq!(counts(&world).await, (1, 1, 0), "again in an hour");
        let jobs = format!("SELECT count(*) FROM job WHERE dedupe_key LIKE '{notice}|%'");
        assert_eq!(world.value::<i64>(&jobs).await, 1);
        let next = format!("SELECT count(*) FROM job WHERE dedupe_key = '{notice}|1'");
        assert_eq!(world.value::<i64>(&next).await, 1);
        for _ in 0..2 {
            world.app.send_mail(notice, 1, 1).await.unwrap();
        }
        assert_eq!(
            world.value::<i64>(&jobs).await,
            2,
            "one try an hour, and one job after it, however often it runs"
        );
        world.on(date!(2026 - 01 - 19));
        world.app.send_mail(notice, 2, 1).await.unwrap();
        assert_eq!(counts(&world).await, (0, 2, 0), "not for ever");
        server.stop();
        told.wants(&world, by_mail("fi", "aino@esimerkki.fi")).await;
        let notice = told.told(&world, "away").await;
        transient(world.app.send_mail(notice, 0, 1).await);
        // Whoever chooses another way before it is sent is not written to.
        told.wants(&world, Contact::default()).await;
        world.app.send_mail(notice, 0, 2).await.unwrap();
        assert_eq!((counts(&world).await, told.seen(&world).await), ((0, 3, 0), 4));
        world.close().await;
    }
}

#[tokio::test]
async fn a_choice_that_cannot_be_opened_when_its_e_mail_goes_holds_it_up_and_does_not_end_it() {
    let server = MailServer::start();
    let world = World::open_with(DatabaseKind::Sqlite, server.mailer()).await;
    let told = Told::come(&world, "A-1").await;
    told.wants(&world, by_mail("fi", "aino@esimerkki.fi")).await;
    let notice = told.told(&world, "sealed").await;
    let (broken, whose) = (vec![7_u8; 40].into(), told.id.as_uuid().into());
    world.write("UPDATE contact SET sealed = $1 WHERE participant = $2", [broken, whose]).await;
    let held = world.app.send_mail(notice, 0, 1).await;
    assert!(matches!(held, Err(JobError::Transient(_))), "{held:?}");
    assert_eq!(counts(&world).await, (1, 0, 0), "it waits");
    world.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_our_own_account_holds_messages_up_and_ends_none() {
    let server = MailServer::start();
    std::fs::write(server.password_file(), "rotated").unwrap();
    let world = World::open_with(DatabaseKind::Sqlite, server.mailer()).await;
    let told = Told::come(&world, "A-1").await;
    told.wants(&world, by_mail("fi", "aino@esimerkki.fi")).await;
    let notice = told.told(&world, "password").await;
    let refused = world.app.send_mail(notice, 0, 1).await;
    assert!(matches!(refused, Err(JobError::Transient(_))), "535 is not of the recipient: {refused:?}");
    world.close().await;
    std::fs::write(server.password_file(), "s3cret").unwrap();
    let world = World::open_with(DatabaseKind::Sqlite, server.mailer()).await;
    let told = Told::come(&world, "A-1").await;
    told.wants(&world, by_mail("fi", "barred@esimerkki.fi")).await;
    let notice = told.told(&world, "sender").await;
    let refused = world.app.send_mail(notice, 0, 1).await;
    assert!(matches!(refused, Err(JobError::Transient(_))), "550 of the sender: {refused:?}");
    assert_eq!(counts(&world).await, (1, 0, 0), "it waits");
    world.close().await;
}

#[tokio::test]
async fn what_somebody_chose_themselves_staff_do_not_change_and_whoever_chose_nothing_is_told() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let vaala = world.unit("19", "Vaalan päivätoiminta", "785").await;
        let staff = world.staff("19", vaala).await;
        let (aino, eero) = (Told::come(&world, "A-1").await, Told::come(&world, "A-2").await);
        for told in [&aino, &eero] {
            world.attest(vaala, staff, told.id, "785").await.unwrap();
        }
        let scopes = [Scope::Unit(vaala), Scope::Tenant(tenant("19"))];
        let set = async |scope, told: &Told, contact| {
            world.app.set_contact_for(&world.command(), scope, told.id, contact).await
        };
        aino.wants(&world, by_letter()).await;
        for scope in scopes {
            assert_eq!(refused(set(scope, &aino, Contact::default()).await), "membership.contact_own");
        }
        let kept = world.app.my_contact(&aino.caller, tenant("19")).await.unwrap().contact.unwrap();
        assert_eq!(kept.address_lines.len(), 2, "as it was");
        // For whoever chose nothing staff may, again and again; each time they are told at once.
        let before = eero.seen(&world).await;
        for (scope, (seen, letters)) in scopes.into_iter().zip([(1, 1), (2, 2)]) {
            set(scope, &eero, by_letter()).await.unwrap();
            assert_eq!(eero.seen(&world).await, before + seen);
            assert_eq!(counts(&world).await.2, letters, "by the new way, too");
        }
        eero.wants(&world, Contact::default()).await;
        assert_eq!(refused(set(scopes[0], &eero, by_letter()).await), "membership.contact_own", "theirs now");
        world.close().await;
    }
}

#[tokio::test]
async fn a_choice_that_cannot_be_opened_keeps_nobody_elses_notice_back() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let (aino, eero) = (Told::come(&world, "A-1").await, Told::come(&world, "A-2").await);
        for told in [&aino, &eero] {
            told.wants(&world, by_letter()).await;
        }
        let (broken, whose) = (vec![7_u8; 40].into(), aino.id.as_uuid().into());
        world.write("UPDATE contact SET sealed = $1 WHERE participant = $2", [broken, whose]).await;
        let ask = Ask {
            service: "forums".to_owned(),
            template: "forums.voting_open".to_owned(),
            dedupe_key: "both".to_owned(),
            urgent: true,
        };
        let both = vec![aino.at_forums, eero.at_forums];
        let told = world.app.notify(&world.command(), ask, both).await.unwrap();
        assert_eq!((told.notified, told.held), (2, 0));
        assert_eq!((aino.seen(&world).await, counts(&world).await), (2, (0, 0, 1)), "in the service");
        world.close().await;
    }
}

#[tokio::test]
async fn letters_wait_for_the_printer_and_go_with_whoever_leaves() {
    for engine in ENGINES {
        let world = World::open(engine).await;
        let (aino, eero) = (Told::come(&world, "A-1").await, Told::come(&world, "A-2").await);
        let mail = by_mail("fi", "aino@esimerkki.fi");
        let without_server =
            world.app.set_my_contact(&world.command(), &aino.caller, tenant("19"), mail).await;
        assert_eq!(refused(without_server), "membership.no_mail");
        for told in [&aino, &eero] {
            told.wants(&world, by_letter()).await;
        }
        let first = aino.told(&world, "first").await;
        let second = eero.told(&world, "second").await;
        let elsewhere = Scope::Tenant(tenant("21"));
        let foreign = world.app.set_contact_for(&world.command(), elsewhere, aino.id, by_letter()).await;
        assert_eq!(refused(foreign), "membership.participant_unknown");
        let list = async |size: u32, token: &str| {
            world.app.letters(tenant("19"), PageSize::new(size).unwrap(), token).await.unwrap()
        };
        let page = list(1, "").await;
        let rest = list(1, &page.next_page_token).await;
        let mut letters = page.letters;
        letters.extend(rest.letters);
        assert_eq!((letters.len(), rest.next_page_token.as_str()), (2, ""));
        let letter = letters.iter().find(|one| one.letter_id == first.to_string()).unwrap();
        assert_eq!(letter.address_block, ["Person A-1", "Rantatie 1 A 2", "91100 Ii"]);
        assert_eq!(letter.text_lines.first().map(String::as_str), Some("Hej!"));
        let other_county = world.app.letters(tenant("21"), PageSize::new(0).unwrap(), "").await.unwrap();
        assert!(other_county.letters.is_empty());
        let mark = async |county: &str| {
            let printed = world.app.letters_printed(&world.command(), tenant(county), vec![first]).await;
            printed.unwrap().marked
        };
        assert_eq!((mark("21").await, mark("19").await, mark("19").await), (0, 1, 0));
        assert_eq!(counts(&world).await, (0, 0, 1));
        // Another way recalls what waits; leaving leaves nothing.
        eero.wants(&world, Contact::default()).await;
        assert_eq!(counts(&world).await, (0, 0, 0));
        eero.wants(&world, by_letter()).await;
        assert_ne!(eero.told(&world, "third").await, second);
        assert_eq!(counts(&world).await, (0, 0, 1));
        world.app.leave(&world.command(), &eero.caller, None).await.unwrap();
        let left = async |table: &str, of: &Told| {
            let question = format!(
                "SELECT count(*) FROM {table} WHERE participant = (SELECT id FROM participant WHERE register_key = '{}')",
                if of.id == eero.id { "A-2" } else { "A-1" }
            );
            world.value::<i64>(&question).await
        };
        assert_eq!((left("contact", &eero).await, left("delivery", &eero).await), (0, 0));
        assert_eq!((left("contact", &aino).await, left("delivery", &aino).await), (1, 1));
        world.on(date!(2027 - 01 - 16));
        world.app.purge().await.unwrap();
        assert_eq!(left("delivery", &aino).await, 0, "kept as long as notices");
        world.close().await;
    }
}

#[tokio::test]
async fn through_the_wire_a_notice_becomes_an_e_mail_and_a_letter_a_page_for_the_printer() {
    for engine in ENGINES {
        let server = MailServer::start();
        let Smtp { host, port, tls, user, password_file, from } = server.settings();
        let settings = [
            ("HOST", host),
            ("PORT", port.to_string()),
            ("TLS", tls),
            ("USER", user),
            ("PASSWORD_FILE", password_file),
            ("FROM", from),
        ];
        let settings = settings.map(|(name, value)| (format!("SERVICES__MEMBERSHIP__SMTP__{name}"), value));
        let served = Served::start_set(engine, settings.to_vec()).await.unwrap();
        let contacts = || ContactServiceClient::new(served.channel.clone());
        let administrator = served.administrator().await;
        let person = served.register(&administrator, "A-1").await.unwrap().participant_id;
        let session = served.session(&administrator, &person).await.unwrap();
        let token = served.token(Some(session.clone())).await;
        let contact = pb::Contact {
            channel: pb::ContactChannel::Email.into(),
            form: "sv".to_owned(),
            email: "aino@esimerkki.fi".to_owned(),
            address_lines: Vec::new(),
        };
        let set = |contact| pb::SetMyContactRequest { tenant: "19".to_owned(), contact: Some(contact) };
        let empty = pb::Contact { email: String::new(), ..contact.clone() };
        let refusal = contacts().set_my_contact(served.request(&token, set(empty))).await.unwrap_err();
        assert_eq!((refusal.code(), code_of(&refusal).as_str()), (Code::InvalidArgument, "request.invalid"));
        contacts().set_my_contact(served.request(&token, set(contact.clone()))).await.unwrap();
        let get = pb::GetMyContactRequest { tenant: "19".to_owned() };
        let read = contacts().get_my_contact(served.request(&token, get)).await.unwrap().into_inner();
        assert_eq!(read.contact, Some(contact.clone()));
        let forums = served.service("forums").await;
        let notify = async |key: &str| {
            let message = pb::NotifyRequest {
                references: vec![served.reference(&session.session, "forums").await.unwrap()],
                template: "forums.voting_open".to_owned(),
                dedupe_key: key.to_owned(),
                urgent: true,
            };
            served.directory().notify(served.request(&forums, message)).await.unwrap().into_inner().notified
        };
        assert_eq!(notify("one").await, 1);
        testkit::eventually(PATIENCE, async || server.got().len() == 1).await;

        // Staff set it for whoever asks them to; a client sets it for nobody else.
        let contact = pb::Contact {
            channel: pb::ContactChannel::Letter.into(),
            address_lines: vec!["Rantatie 1".to_owned(), "91100 Ii".to_owned()],
            ..contact
        };
        let set_for = pb::SetContactForRequest {
            tenant: "19".to_owned(),
            participant_id: person.clone(),
            contact: Some(contact),
            ..Default::default()
        };
        let of_both = pb::SetContactForRequest { unit_id: person.clone(), ..set_for.clone() };
        let by_client = contacts().set_contact_for(served.request(&token, of_both)).await;
        assert_eq!(by_client.unwrap_err().code(), Code::PermissionDenied);
        let by_staff = contacts().set_contact_for(served.request(&administrator, set_for.clone())).await;
        assert_eq!(
            code_of(&by_staff.unwrap_err()),
            "membership.contact_own",
            "the client chose it themselves"
        );
        let another = served.register(&administrator, "A-2").await.unwrap().participant_id;
        let for_another = pb::SetContactForRequest { participant_id: another, ..set_for.clone() };
        contacts().set_contact_for(served.request(&administrator, for_another)).await.unwrap();
        let letter = set(set_for.contact.unwrap_or_default());
        contacts().set_my_contact(served.request(&token, letter)).await.unwrap();
        assert_eq!(notify("two").await, 1);
        let list = |purpose: &str| pb::ListLettersRequest {
            tenant: "19".to_owned(),
            purpose: purpose.to_owned(),
            ..Default::default()
        };
        let why = contacts().list_letters(served.request(&administrator, list(""))).await.unwrap_err();
        assert_eq!(why.code(), Code::InvalidArgument, "addresses are read for a reason");
        let letters =
            contacts().list_letters(served.request(&administrator, list("The post of today"))).await;
        let letters = letters.unwrap().into_inner().letters;
        let mut to: Vec<&str> = letters.iter().map(|one| one.address_block[0].as_str()).collect();
        to.sort_unstable();
        assert_eq!(to, ["Person A-1", "Person A-2"], "who did not set it is told of it by the new way");
        let letter_ids = letters.iter().map(|one| one.letter_id.clone()).collect();
        let mark = pb::MarkLettersPrintedRequest { tenant: "19".to_owned(), letter_ids };
        let marked = contacts().mark_letters_printed(served.request(&administrator, mark)).await.unwrap();
        assert_eq!(marked.into_inner().marked, 2);
        let ask = pb::GetDeliveryCountsRequest { tenant: "19".to_owned() };
        let counts = contacts().get_delivery_counts(served.request(&administrator, ask)).await.unwrap();
        assert_eq!(counts.into_inner(), pb::GetDeliveryCountsResponse::default());
        served.running.stop().await;
    }
}

#[tokio::test]
async fn a_mail_server_that_is_half_given_is_refused_at_start_by_its_setting() {
    let settings = vec![("SERVICES__MEMBERSHIP__SMTP__HOST".to_owned(), "mail.esimerkki.fi".to_owned())];
    let Err(refused) = Served::start_set(DatabaseKind::Sqlite, settings).await else { panic!("it started") };
    assert!(refused.to_string().contains("services.membership.smtp.from"), "{refused}");
}

#[tokio::test]
async fn a_mail_server_is_asked_whether_it_takes_the_password() {
    let server = MailServer::start();
    assert_eq!(server.mailer().unwrap().check().await, Ok(()));
    std::fs::write(server.password_file(), "wrong").unwrap();
    assert!(server.mailer().unwrap().check().await.is_err());
    // One that does not encrypt is no use where encryption is asked for.
    std::fs::write(server.password_file(), "s3cret").unwrap();
    let encrypted = Smtp { tls: "starttls".to_owned(), ..server.settings() };
    let mailer = Mailer::new(&encrypted).unwrap().unwrap();
    assert!(mailer.check().await.is_err());
}
