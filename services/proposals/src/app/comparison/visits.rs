//! Comparing: a visit sees a pair at a time and answers it, skips it, or takes its latest answer back. Nobody signs in.
//!
//! Nothing of a visit is kept in the command log: its rows have times, and with the pairs they would tell when each visit
//! answered what, hence, with a log of addresses, who. A call that is repeated finds by the number of its pair that it is
//! done already, and is told where the visit stands.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, MunicipalityCode, RoundId};
use messaging::Tx;
use proto::proposals as pb;

use super::super::App;
use crate::domain::comparison::pairing::{self, Pair, Shown};
use crate::domain::comparison::round::Round;
use crate::domain::comparison::session::{self, Answer, Change, Offer, Session, SessionHash, SessionToken};
use crate::store::comparison::sessions::Visited;
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
    /// Begins a visit. Its token is in the answer and nowhere else: whoever guessed another's key would get it from the
    /// command log. A call that is repeated begins another visit.
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
        self.writer.run_unlogged(call.command(), token.hash(), |tx, hash| looked(tx, *hash).boxed()).await
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
        self.writer.run_unlogged(call.command(), input, |tx, input| compared(tx, input).boxed()).await
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
        self.writer.run_unlogged(call.command(), input, |tx, input| skipped(tx, input).boxed()).await
    }

    /// Takes the latest answer back.
    pub async fn undo_last(
        &self,
        call: &Call,
        token: &SessionToken,
        number: u32,
    ) -> Result<pb::UndoLastResponse, Fault> {
        let input = Undo { hash: token.hash(), number };
        self.writer.run_unlogged(call.command(), input, |tx, input| undone(tx, input).boxed()).await
    }
}

async fn started(tx: &Tx, input: &Start) -> Result<pb::StartSessionResponse, Fault> {
    let round = store::comparison::rounds::load_public(tx.conn(), input.round).await?;
    round.check_open(tx.now().helsinki_date())?;
    let session = Session::start(input.token.hash(), round.id, input.municipality);
    store::comparison::sessions::insert(tx.conn(), &session).await?;
    Ok(pb::StartSessionResponse { session_token: input.token.reveal().to_owned() })
}

async fn looked(tx: &Tx, hash: SessionHash) -> Result<pb::NextPairResponse, Fault> {
    let visiting = open_visit(tx, hash).await?;
    Ok(pb::NextPairResponse { visit: Some(go_on(tx, visiting, None).await?) })
}

async fn compared(tx: &Tx, input: &Respond) -> Result<pb::CompareResponse, Fault> {
    Ok(pb::CompareResponse { visit: Some(respond(tx, input).await?) })
}

async fn skipped(tx: &Tx, input: &Respond) -> Result<pb::SkipPairResponse, Fault> {
    Ok(pb::SkipPairResponse { visit: Some(respond(tx, input).await?) })
}

async fn respond(tx: &Tx, input: &Respond) -> Result<pb::Visit, Fault> {
    let visiting = open_visit(tx, input.hash).await?;
    let change =
        visiting.session.answer(&visiting.still_there(), input.number, input.answer, input.assisted)?;
    changed(tx, visiting, change).await
}

async fn undone(tx: &Tx, input: &Undo) -> Result<pb::UndoLastResponse, Fault> {
    let visiting = open_visit(tx, input.hash).await?;
    let change = visiting.session.undo(&visiting.still_there(), input.number)?;
    Ok(pb::UndoLastResponse { visit: Some(changed(tx, visiting, change).await?) })
}

/// A visit to a round in which ideas are compared now.
pub(super) struct Visiting {
    /// The round.
    pub(super) round: Round,
    /// The visit.
    pub(super) session: Session,
    /// The ideas in the round, and how often each was shown.
    exposure: Vec<Shown>,
    /// All that the visit was shown.
    shown: Vec<Offer>,
}

impl Visiting {
    /// What the visit was shown, without pairs of which an idea has been taken out.
    fn still_there(&self) -> Vec<Offer> {
        let is_in = |number| self.exposure.iter().any(|shown| shown.idea == number);
        session::still_there(self.shown.clone(), is_in)
    }
}

/// A visit, if its round is open.
pub(super) async fn open_visit(tx: &Tx, hash: SessionHash) -> Result<Visiting, Fault> {
    let Visited { session, offers: shown, exposure } =
        store::comparison::sessions::load(tx.conn(), hash).await?;
    let round = store::comparison::rounds::load(tx.conn(), session.round).await?;
    round.check_open(tx.now().helsinki_date())?;
    Ok(Visiting { round, session, exposure, shown })
}

/// Keeps an answer, or that one was taken back, if that changes anything, and goes on.
async fn changed(tx: &Tx, mut visiting: Visiting, change: Option<Change>) -> Result<pb::Visit, Fault> {
    let Some(change) = change else { return go_on(tx, visiting, None).await };
    visiting.session = visiting.session.apply(&change);
    let (session, round) = (&visiting.session, visiting.round.id);
    store::comparison::sessions::save(tx.conn(), session).await?;
    store::comparison::sums::add(tx.conn(), session, &change).await?;
    store::comparison::rounds::add(tx.conn(), round, &change).await?;
    // What was shown and left unanswered counts for nothing: it would steer what everybody else is shown.
    store::comparison::ideas::add_shown(tx.conn(), round, &change).await?;
    let pair = change.offer.pair;
    for idea in visiting.exposure.iter_mut().filter(|idea| idea.idea == pair.left || idea.idea == pair.right)
    {
        idea.times = if change.added { idea.times + 1 } else { idea.times.saturating_sub(1) };
    }
    for offer in visiting.shown.iter_mut().filter(|offer| offer.number == change.offer.number) {
        *offer = change.offer;
    }
    go_on(tx, visiting, Some(change.offer)).await
}

/// Where the visit stands, with a new pair if none waits and it may still be shown one. `answered` is a pair whose answer
/// is not stored yet.
async fn go_on(tx: &Tx, visiting: Visiting, answered: Option<Offer>) -> Result<pb::Visit, Fault> {
    let mut offers = visiting.still_there();
    let Visiting { round, session, exposure, shown } = visiting;
    let mut unstored: Vec<Offer> = answered.into_iter().collect();
    if session::waiting(&offers).is_none() {
        let number = shown.last().map_or(0, |offer| offer.number) + 1;
        let seen: Vec<Pair> = offers.iter().map(|offer| offer.pair).collect();
        if let Some(pair) = pairing::next(&exposure, &seen, session.hash.seed(number)) {
            let offer = Offer { number, pair, answer: None };
            unstored.push(offer);
            offers.push(offer);
        }
    }
    store::comparison::sessions::save_offers(tx.conn(), session.hash, &unstored).await?;
    let waiting = match session::waiting(&offers) {
        Some(offer) => store::comparison::ideas::of_pair(tx.conn(), round.id, offer.pair).await?,
        None => Vec::new(),
    };
    Ok(convert::comparisons::visit(&round, &session, &offers, &waiting, exposure.len()))
}
