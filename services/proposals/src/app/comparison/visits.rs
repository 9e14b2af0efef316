//! Comparing: a visit sees a pair at a time and answers it, skips it, or takes its latest answer back. Nobody signs in.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, MunicipalityCode, RoundId};
use messaging::Tx;
use proto::proposals as pb;

use super::super::App;
use crate::domain::comparison::pairing::{self, Pair, Shown};
use crate::domain::comparison::round::Round;
use crate::domain::comparison::session::{self, Answer, Change, Offer, Session, SessionHash, SessionToken};
use crate::{convert, store};

struct Start {
    round: RoundId,
    token: SessionToken,
    municipality: Option<MunicipalityCode>,
}

struct Respond {
    hash: SessionHash,
    number: u32,
    answer: Answer,
    assisted: bool,
}

struct Undo {
    hash: SessionHash,
    number: u32,
}

impl App {
    /// Begins a visit. Its token is in the answer and nowhere else, so the answer is not kept in the command log: whoever
    /// guessed another's key would get it there. A call that is repeated begins another visit.
    pub async fn start_session(
        &self,
        call: &Call,
        round: RoundId,
        municipality: Option<MunicipalityCode>,
    ) -> Result<pb::StartSessionResponse, Fault> {
        let input = Start { round, token: SessionToken::new(self.ids.bytes()), municipality };
        self.writer.run_unlogged(call.command(), input, |tx, input| started(tx, input).boxed()).await
    }

    /// The pair that waits for the visit's answer.
    pub async fn next_pair(&self, call: &Call, token: &SessionToken) -> Result<pb::NextPairResponse, Fault> {
        self.writer.run(call.command(), token.hash(), |tx, hash| looked(tx, *hash).boxed()).await
    }

    /// Says which of the two ideas of a pair is better. `assisted`: somebody helped.
    pub async fn compare(
        &self,
        call: &Call,
        token: &SessionToken,
        number: u32,
        answer: Answer,
        assisted: bool,
    ) -> Result<pb::CompareResponse, Fault> {
        let input = Respond { hash: token.hash(), number, answer, assisted };
        self.writer.run(call.command(), input, |tx, input| compared(tx, input).boxed()).await
    }

    /// Chooses neither.
    pub async fn skip_pair(
        &self,
        call: &Call,
        token: &SessionToken,
        number: u32,
        answer: Answer,
    ) -> Result<pb::SkipPairResponse, Fault> {
        let input = Respond { hash: token.hash(), number, answer, assisted: false };
        self.writer.run(call.command(), input, |tx, input| skipped(tx, input).boxed()).await
    }

    /// Takes the latest answer back.
    pub async fn undo_last(
        &self,
        call: &Call,
        token: &SessionToken,
        number: u32,
    ) -> Result<pb::UndoLastResponse, Fault> {
        let input = Undo { hash: token.hash(), number };
        self.writer.run(call.command(), input, |tx, input| undone(tx, input).boxed()).await
    }
}

async fn started(tx: &Tx, input: &Start) -> Result<pb::StartSessionResponse, Fault> {
    let round = store::comparison::rounds::load_public(tx.conn(), input.round).await?;
    round.check_open(tx.now().helsinki_date())?;
    let session = Session::start(input.token.hash(), round.id, input.municipality);
    store::comparison::sessions::insert(tx.conn(), &session).await?;
    let visit = go_on(tx, &round, &session, Vec::new()).await?;
    Ok(pb::StartSessionResponse { session_token: input.token.reveal().to_owned(), visit: Some(visit) })
}

async fn looked(tx: &Tx, hash: SessionHash) -> Result<pb::NextPairResponse, Fault> {
    let (round, session, offers) = open_visit(tx, hash).await?;
    Ok(pb::NextPairResponse { visit: Some(go_on(tx, &round, &session, offers).await?) })
}

async fn compared(tx: &Tx, input: &Respond) -> Result<pb::CompareResponse, Fault> {
    Ok(pb::CompareResponse { visit: Some(respond(tx, input).await?) })
}

async fn skipped(tx: &Tx, input: &Respond) -> Result<pb::SkipPairResponse, Fault> {
    Ok(pb::SkipPairResponse { visit: Some(respond(tx, input).await?) })
}

async fn respond(tx: &Tx, input: &Respond) -> Result<pb::Visit, Fault> {
    let (round, session, offers) = open_visit(tx, input.hash).await?;
    match session.answer(&offers, input.number, input.answer, input.assisted)? {
        Some(change) => changed(tx, &round, session, offers, &change).await,
        None => go_on(tx, &round, &session, offers).await,
    }
}

async fn undone(tx: &Tx, input: &Undo) -> Result<pb::UndoLastResponse, Fault> {
    let (round, session, offers) = open_visit(tx, input.hash).await?;
    let visit = match session.undo(&offers, input.number)? {
        Some(change) => changed(tx, &round, session, offers, &change).await?,
        None => go_on(tx, &round, &session, offers).await?,
    };
    Ok(pb::UndoLastResponse { visit: Some(visit) })
}

/// A visit to a round in which ideas are compared now.
pub(super) async fn open_visit(tx: &Tx, hash: SessionHash) -> Result<(Round, Session, Vec<Offer>), Fault> {
    let session = store::comparison::sessions::load(tx.conn(), hash).await?;
    let round = store::comparison::rounds::load(tx.conn(), session.round).await?;
    round.check_open(tx.now().helsinki_date())?;
    let offers = store::comparison::sessions::offers(tx.conn(), hash).await?;
    Ok((round, session, offers))
}

/// Keeps an answer, or that one was taken back, and goes on.
async fn changed(
    tx: &Tx,
    round: &Round,
    session: Session,
    mut offers: Vec<Offer>,
    change: &Change,
) -> Result<pb::Visit, Fault> {
    let session = session.apply(change);
    store::comparison::sessions::save(tx.conn(), &session).await?;
    store::comparison::sessions::save_answer(tx.conn(), session.hash, &change.offer).await?;
    store::comparison::sums::add(tx.conn(), &session, change).await?;
    store::comparison::rounds::add(tx.conn(), round.id, change).await?;
    for offer in offers.iter_mut().filter(|offer| offer.number == change.offer.number) {
        *offer = change.offer;
    }
    go_on(tx, round, &session, offers).await
}

/// Where the visit stands, with a new pair if none waits and it may still be shown one.
async fn go_on(
    tx: &Tx,
    round: &Round,
    session: &Session,
    mut offers: Vec<Offer>,
) -> Result<pb::Visit, Fault> {
    let ideas = store::comparison::ideas::of(tx.conn(), round.id).await?;
    if session::waiting(&offers).is_none() {
        let shown: Vec<Shown> =
            ideas.iter().filter_map(|idea| Some(Shown { idea: idea.number?, times: idea.shown })).collect();
        let seen: Vec<Pair> = offers.iter().map(|offer| offer.pair).collect();
        let number = u32::try_from(offers.len() + 1).map_err(Fault::internal)?;
        if let Some(pair) = pairing::next(&shown, &seen, session.hash.seed(number)) {
            let offer = Offer { number, pair, answer: None };
            store::comparison::sessions::insert_offer(tx.conn(), session.hash, &offer).await?;
            store::comparison::ideas::add_shown(tx.conn(), &ideas, pair).await?;
            offers.push(offer);
        }
    }
    Ok(convert::comparisons::visit(round, session, &offers, &ideas))
}
