//! Refusals about support relationships, dictation and contact settings.

use kernel::FaultKind;

/// Why a command about support was refused although its form was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// No such relationship in which the caller is one of the two, on the side that may do this.
    Unknown,
    /// Nobody is their own support person.
    OfSelf,
    /// The county offers those only who are support persons there.
    NotASupportPerson,
    /// The unit offers to people only who are attested for its municipality there.
    NotForUnit,
    /// M3: the person acts for the member by a mandate and works in a unit.
    GuardianInConflict,
    /// M3: the helper at the member's side does not answer for them.
    HelperPresent,
    /// M7: the county offered the person, who does not hold the role any more.
    RoleEnded,
    /// The member has accepted already.
    Accepted,
    /// The member has not accepted yet.
    NotAccepted,
    /// The relationship has ended.
    Ended,
    /// The training lies in the future.
    TrainedLater,
    /// There is no such relationship that works: nobody acts with this helper.
    NotActive,
    /// The caller may not write down what this person says.
    DictationNotAllowed,
    /// Nobody dictates to themselves.
    DictatesSelf,
    /// The unit may set the contact settings only of people it serves.
    ContactNotForUnit,
    /// The person has chosen themselves how they are told.
    ContactOwn,
    /// The deployment has no mail server.
    NoMail,
}

impl Support {
    /// Kind, code and public text.
    pub(super) fn parts(self) -> (FaultKind, &'static str, &'static str) {
        use FaultKind::{Conflict, Forbidden, Invalid, NotFound};
        match self {
            Support::Unknown => (
                NotFound,
                "membership.support_unknown",
                "support_id: you have no such support relationship. Look it up in the list of your own.",
            ),
            Support::OfSelf => (
                Invalid,
                "membership.support_of_self",
                "supporter_id: nobody is their own support person. Send another person's id.",
            ),
            Support::NotASupportPerson => (
                Conflict,
                "membership.not_a_support_person",
                "supporter_id: a county offers its own support persons only, and this person does not hold that role \
                 today. Let the administrator give the role first, or let the member ask the person themselves.",
            ),
            Support::NotForUnit => (
                Forbidden,
                "membership.support_not_for_unit",
                "member_id: a unit offers support to people who are attested for its municipality by a unit there, \
                 and this person is not. Ask the area coordinator.",
            ),
            Support::GuardianInConflict => (
                Conflict,
                "membership.guardian_in_conflict",
                "Whoever acts for a member by a mandate and works in a unit is not independent enough to be the \
                 member's support person (M3). Choose another support person.",
            ),
            Support::RoleEnded => (
                Conflict,
                "membership.support_role_ended",
                "The county offered this support person, who does not hold that role today (M7). End the relationship, \
                 and choose another support person or ask this person yourself.",
            ),
            Support::HelperPresent => (
                Forbidden,
                "membership.helper_present",
                "The member answers alone who helps them (M3). Answer without a helper on record.",
            ),
            Support::Accepted => (
                Conflict,
                "membership.support_accepted",
                "support_id: the offer was accepted already. End the relationship instead.",
            ),
            Support::NotAccepted => (
                Conflict,
                "membership.support_not_accepted",
                "support_id: the member accepts a support person first (M3). Wait for the member's answer.",
            ),
            Support::Ended => (
                Conflict,
                "membership.support_ended",
                "support_id: the relationship has ended. The county can offer a new one, or the member ask for it.",
            ),
            Support::TrainedLater => (
                Invalid,
                "membership.trained_later",
                "trained_on: the training has taken place (S1.28). Send a day that is not in the future.",
            ),
            Support::NotActive => (
                Forbidden,
                "membership.support_not_active",
                "support_id: the helper is on record only by a support relationship of yours that works: accepted by \
                 you, with the helper's declaration, and not ended. Act without it, or choose another helper.",
            ),
            Support::DictationNotAllowed => (
                Forbidden,
                "membership.dictation_not_allowed",
                "participant_id: staff write down the words of people who are attested for their unit's municipality \
                 by a unit there, support persons those of people whose support person they are. Ask somebody who may.",
            ),
            Support::DictatesSelf => (
                Invalid,
                "membership.dictates_self",
                "participant_id: nobody dictates to themselves. Write your own proposal.",
            ),
            Support::ContactNotForUnit => (
                Forbidden,
                "membership.contact_not_for_unit",
                "participant_id: a unit sets this for people who are attested for its municipality by a unit there, \
                 and this person is not. Ask the area coordinator.",
            ),
            Support::ContactOwn => (
                Conflict,
                "membership.contact_own",
                "participant_id: the person has chosen themselves how they are told, and only they change it. They do so \
                 in their own session, with help if they want.",
            ),
            Support::NoMail => (
                Conflict,
                "membership.no_mail",
                "contact.channel: nobody is told by e-mail here, as no mail server is set. Choose the service or a letter.",
            ),
        }
    }
}
