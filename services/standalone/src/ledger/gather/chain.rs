//! Rule 3, on the way: the check of a lane that `osallisuus log verify` makes too, with the records that show a break. Of
//! each lane the first break is told; what follows it cannot be judged.

use messaging::Envelope;
use messaging::log::{Broken, LaneCheck, LaneHead};

use crate::ledger::hex;
use crate::ledger::verdict::{Piece, Rule, Verdict};

/// The check of one lane, event by event.
pub(super) struct Chain {
    service: &'static str,
    check: LaneCheck,
    last: Option<Piece>,
    broken: bool,
}

impl Chain {
    pub(super) fn new(service: &'static str, lane: &str) -> Self {
        Self { service, check: LaneCheck::new(service, lane), last: None, broken: false }
    }

    pub(super) fn take(&mut self, event: &Envelope, verdict: &mut Verdict) {
        if self.broken {
            return;
        }
        let here = Piece::Log {
            service: event.service.clone(),
            lane: event.lane.clone(),
            seq: event.seq,
            event_type: event.event_type.clone(),
            hash: hex(&event.hash),
        };
        match self.check.take(event) {
            Ok(()) => self.last = Some(here),
            Err(broken) => self.tell(&broken, here, verdict),
        }
    }

    pub(super) fn finish(mut self, head: &LaneHead, verdict: &mut Verdict) {
        if self.broken {
            return;
        }
        if let Err(broken) = self.check.finish(head) {
            let head = Piece::Row {
                service: self.service.to_owned(),
                table: "event_head".to_owned(),
                row: format!("lane {}, event {}, hash {}", head.lane, head.seq, hex(&head.hash)),
            };
            self.tell(&broken, head, verdict);
        }
    }

    fn tell(&mut self, broken: &Broken, here: Piece, verdict: &mut Verdict) {
        self.broken = true;
        let history = self.last.take().into_iter().chain([here]).collect();
        verdict.broken(Rule::Chain, format!("{}: {broken}", self.service), history);
    }
}
