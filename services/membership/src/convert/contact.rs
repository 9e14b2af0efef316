//! Contact settings.

use kernel::Fault;
use proto::membership as pb;

use crate::domain::contact::{Channel, Contact};

/// A choice from outside; none means in the service only.
pub(crate) fn contact_in(contact: Option<pb::Contact>) -> Result<Contact, Fault> {
    let contact = contact.unwrap_or_default();
    let channel = match contact.channel() {
        pb::ContactChannel::Unspecified | pb::ContactChannel::InService => Channel::InService,
        pb::ContactChannel::Email => Channel::Email,
        pb::ContactChannel::Letter => Channel::Letter,
    };
    let read = Contact::new(channel, &contact.form, &contact.email, &contact.address_lines);
    read.map_err(|(field, why)| why.in_field(field))
}

/// A choice.
pub(crate) fn contact_out(contact: Contact) -> pb::Contact {
    let channel = match contact.channel {
        Channel::InService => pb::ContactChannel::InService,
        Channel::Email => pb::ContactChannel::Email,
        Channel::Letter => pb::ContactChannel::Letter,
    };
    pb::Contact {
        channel: channel.into(),
        form: contact.form.as_str().to_owned(),
        email: contact.email,
        address_lines: contact.address_lines,
    }
}
