//! One log line for people: time, level, sentence, fields. Spans are left out: what they say is in the line.

use std::fmt;

use kernel::{Clock as _, SystemClock};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The readable format.
pub(super) struct Readable;

impl<S, N> FormatEvent<S, N> for Readable
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = event.metadata().level();
        let colour = match *level {
            Level::ERROR => "31",
            Level::WARN => "33",
            Level::INFO => "32",
            Level::DEBUG | Level::TRACE => "34",
        };
        write!(line, "{} ", SystemClock.now())?;
        match line.has_ansi_escapes() {
            true => write!(line, "\x1b[{colour}m{level:5}\x1b[0m ")?,
            false => write!(line, "{level:5} ")?,
        }
        context.field_format().format_fields(line.by_ref(), event)?;
        writeln!(line)
    }
}
