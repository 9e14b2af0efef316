//! What authors do: write, submit, take back, find their own words in it or not.

use kernel::deadline::add_days;
use kernel::{ActingMode, Caller, Date, Fault, Helper, Policies, PolicyKey, ProposalId, TenantId, UnitId};

use super::content::MAX_OWN_WORDS;
use super::{Acting, Channel, Confirmation, Content, Ending, Proposal, Stage, StageKind, wrong_stage};

/// What a person says to "was this what you said?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was.
    Yes,
    /// It was not; this is what they said.
    No {
        /// The person's own words, 1 to 5,000 characters.
        correction: String,
    },
    /// They do not know.
    DontKnow,
}

impl Acting {
    /// How this caller acts: alone, with a helper, or as one by a mandate.
    pub fn of(caller: &Caller, conflict_accepted: bool) -> Self {
        let helper = caller.helper.as_ref().map(|helper| helper.reference);
        Self {
            mode: caller.mode,
            recorder: None,
            helper,
            conflict_accepted: conflict_accepted && helper.is_some(),
        }
    }

    /// Refuses with Conflict `proposals.conflict_of_interest` if the caller's helper works at one of these units and the
    /// member has not chosen this helper all the same (M3).
    pub fn check_independence(caller: &Caller, units: &[UnitId], accepted: bool) -> Result<(), Fault> {
        let Some(helper) = &caller.helper else { return Ok(()) };
        if accepted || !units.iter().any(|unit| helper.is_in_conflict(*unit)) {
            return Ok(());
        }
        Err(conflict_of_interest())
    }

    /// The same for who writes down what a person says in the name of a unit: not about that unit, nor about one where they
    /// work, unless the person wants it (M3). That they do is what the recorder says; the person is asked.
    pub fn check_recorder(
        recorder: &Helper,
        unit: UnitId,
        units: &[UnitId],
        accepted: bool,
    ) -> Result<(), Fault> {
        let is_in_conflict = |one: &UnitId| *one == unit || recorder.is_in_conflict(*one);
        if accepted || !units.iter().any(is_in_conflict) { Ok(()) } else { Err(conflict_of_interest()) }
    }
}

fn conflict_of_interest() -> Fault {
    Fault::conflict(
        "proposals.conflict_of_interest",
        "Who helps works at the unit that this is about (M3). Choose another helper, or say that you want this one \
         (conflict_accepted).",
    )
}

impl Proposal {
    /// A new draft. Its authors and texts are kept beside it.
    pub fn draft(
        id: ProposalId,
        tenant: TenantId,
        content: Content,
        channel: Channel,
        acting: Acting,
        today: Date,
    ) -> Self {
        Self {
            id,
            tenant,
            receipt_no: String::new(),
            stage: Stage::Draft,
            promise: None,
            category: content.category,
            perspective: content.perspective,
            goals: content.goals,
            units: content.addressed.units,
            lead_unit: content.addressed.lead,
            forum: None,
            round: None,
            channel,
            acting,
            own_words: content.own_words,
            strength: content.strength,
            confirmation: Confirmation::Unasked,
            return_code_hash: None,
            submitted_on: None,
            screened_on: None,
            endorsed_on: None,
            feedback_on: None,
            reroutings: 0,
            split_from: None,
            is_public: false,
            is_hidden: false,
            to_recheck: false,
            touched_on: today,
        }
    }

    /// The draft with other content, by who acts now.
    ///
    /// Conflict `proposals.stage` unless it is a draft.
    pub fn edit(&self, content: Content, acting: Acting, today: Date) -> Result<Self, Fault> {
        if self.stage != Stage::Draft {
            return Err(no_draft());
        }
        let mut edited = Self::draft(self.id, self.tenant, content, self.channel, acting, today);
        // Who helped once has helped, also when the person goes on alone.
        if edited.acting.mode == ActingMode::Alone {
            edited.acting = self.acting.clone();
        }
        Ok(edited)
    }

    /// The last day on which a draft that nobody touches is kept (TIHA-12).
    pub fn expires_on(&self, policies: &Policies) -> Date {
        let days = policies.on(self.touched_on, PolicyKey::DraftDays);
        add_days(self.touched_on, i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// The draft, submitted under a receipt number: the year and this code.
    ///
    /// Conflict `proposals.stage` unless it is a draft.
    pub fn submit(&self, receipt: &str, today: Date, policies: &Policies) -> Result<Self, Fault> {
        if self.stage != Stage::Draft {
            return Err(no_draft());
        }
        let mut submitted = self.go(Stage::Submitted, today, policies)?;
        submitted.receipt_no = format!("{}-{receipt}", today.year());
        submitted.submitted_on = Some(today);
        Ok(submitted)
    }

    /// The proposal, taken back by its author.
    ///
    /// Conflict `proposals.too_late_to_withdraw` once a human has screened it: others may have joined.
    pub fn withdraw(&self, today: Date, policies: &Policies) -> Result<Self, Fault> {
        let withdrawn = Stage::Ended { how: Ending::Withdrawn };
        match self.stage {
            Stage::Submitted => self.go(withdrawn, today, policies),
            Stage::Draft => Err(wrong_stage(self.stage, StageKind::Withdrawn)),
            _ => Err(Fault::conflict(
                "proposals.too_late_to_withdraw",
                "A proposal is taken back before it is screened. Now it is others' too; ask the area coordinator.",
            )),
        }
    }

    /// The proposal without what the person said themselves, which is nobody else's.
    #[must_use]
    pub fn without_own_words(self) -> Self {
        Self { own_words: String::new(), strength: String::new(), ..self }
    }

    /// Whether there is something to ask the author: was this what you said?
    pub fn is_to_confirm(&self) -> bool {
        self.acting.mode != ActingMode::Alone && self.confirmation == Confirmation::Unasked
    }

    /// Whether a recorder says that the person wanted them although they work where the proposal goes, and the person has
    /// not said so themselves (M3).
    pub fn is_acceptance_claimed(&self) -> bool {
        let is_unsaid = matches!(self.confirmation, Confirmation::Unasked | Confirmation::DontKnow);
        self.acting.mode == ActingMode::Dictated && self.acting.conflict_accepted && is_unsaid
    }

    /// The proposal with what the person says of whom they told it to; a human looks again at what they did not want so.
    ///
    /// Invalid `proposals.acceptance_unanswered` where a recorder claims it and the answer yes or no does not say it.
    fn with_acceptance(self, answer: &Answer, accepted: Option<bool>) -> Result<Self, Fault> {
        if *answer == Answer::DontKnow || !self.is_acceptance_claimed() {
            return Ok(self);
        }
        let Some(accepted) = accepted else {
            let message = "Who wrote this down works where it goes, and says that you wanted it so. Say whether you did.";
            return Err(Fault::invalid("proposals.acceptance_unanswered", message).field(
                "helper_accepted",
                "the person says themselves whether they chose who wrote it down (M3)",
                "send true or false",
            ));
        };
        let mut told = self;
        told.acting.conflict_accepted = accepted;
        told.to_recheck |= !accepted;
        Ok(told)
    }

    /// The proposal with the person's answer; a correction becomes their own words, and a human looks again at what is
    /// public already. `accepted`: whether they wanted who wrote it down although they work where it goes.
    ///
    /// Invalid `proposals.acceptance_unanswered` where that is claimed and not said; Conflict `proposals.nothing_to_confirm` where the person wrote it alone, `proposals.stage` for a draft and for
    /// what has ended; Invalid `proposals.correction` for a correction of a wrong length.
    pub fn confirm_words(&self, answer: &Answer, accepted: Option<bool>) -> Result<Self, Fault> {
        if self.acting.mode == ActingMode::Alone {
            return Err(Fault::conflict(
                "proposals.nothing_to_confirm",
                "You wrote this yourself, so there is nobody else's wording to confirm.",
            ));
        }
        if self.stage == Stage::Draft || self.stage.is_ended() {
            return Err(Fault::conflict(
                "proposals.stage",
                "Words are confirmed from submission until the proposal has ended. Edit a draft instead.",
            ));
        }
        let mut confirmed = self.clone().with_acceptance(answer, accepted)?;
        match answer {
            Answer::Yes => confirmed.confirmation = Confirmation::Yes,
            Answer::DontKnow => confirmed.confirmation = Confirmation::DontKnow,
            Answer::No { correction } => {
                let correction = correction.trim();
                if !(1..=MAX_OWN_WORDS).contains(&correction.chars().count()) {
                    return Err(Fault::invalid("proposals.correction", "Say what you said.").field(
                        "correction",
                        format!("1 to {MAX_OWN_WORDS} characters, for the answer no"),
                        "send the person's own words",
                    ));
                }
                confirmed.confirmation = Confirmation::No;
                confirmed.own_words = correction.to_owned();
                confirmed.to_recheck |= self.is_public;
            }
        }
        Ok(confirmed)
    }
}

fn no_draft() -> Fault {
    Fault::conflict(
        "proposals.stage",
        "Only a draft is changed and submitted by its authors. This one is submitted already.",
    )
}
