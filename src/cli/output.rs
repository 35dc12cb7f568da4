//! From events to standard output, and warnings to standard error.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::Duration;

use rustix::termios::tcgetwinsize;
use tokio::sync::mpsc::UnboundedReceiver;

use super::log::Log;
use super::mask;
use super::options::{Options, Output};
use crate::event::Event;
use crate::load::Config;
use crate::report::{self, Colours, DefaultReport, Document, Form, Lines, Page, Report, Stream, Timed};
use crate::schedule::Progress;
use crate::vault::Secrets;

/// Whether to colour what goes to standard output.
pub fn colours(config: &Config) -> Colours {
    if config.nocolor.value {
        Colours::Off
    } else if config.force_color.value || io::stdout().is_terminal() {
        Colours::On
    } else {
        Colours::Off
    }
}

/// How results are shown.
pub fn look(options: &Options, config: &Config) -> report::Options {
    report::Options {
        verbosity: options.verbose.max(u8::try_from(config.verbosity.value).unwrap_or(u8::MAX)),
        colours: colours(config),
        hide_skipped: !config.display_skipped_hosts.value,
        hide_ok: !config.display_ok_hosts.value,
        width: tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col).saturating_sub(1)),
    }
}

/// The report that the options ask for.
pub fn report(options: &Options, config: &Config) -> Box<dyn Report> {
    let report: Box<dyn Report> = match options.output {
        Output::Json => Box::new(Document::new(Form::Json)),
        Output::Yaml => Box::new(Document::new(Form::Yaml)),
        Output::Jsonl => Box::new(Lines),
        Output::Default => Box::new(DefaultReport::new(look(options, config))),
    };
    match options.output {
        Output::Default if options.timing => Box::new(Timed::new(report)),
        _ => report,
    }
}

/// How long the printer waits for more to come.
const PAUSE: Duration = Duration::from_millis(2);

/// How much is said by the screen or by the log, whichever says more.
pub fn told(options: &Options, config: &Config) -> u8 {
    let log = config.log_path.value.as_ref().and(config.log_verbosity.value).unwrap_or(0);
    look(options, config).verbosity.max(u8::try_from(log).unwrap_or(u8::MAX))
}

/// The log that the configuration asks for: what is said, without colours, at a verbosity of its own.
pub fn log(options: &Options, config: &Config) -> Option<Log> {
    let look = look(options, config);
    let verbosity = config.log_verbosity.value.map_or(look.verbosity, |v| u8::try_from(v).unwrap_or(u8::MAX));
    let look = report::Options { verbosity, colours: Colours::Off, ..look };
    Log::open(config.log_path.value.as_ref()?, Box::new(DefaultReport::new(look)))
}

/// Writes events until there are no more, and to the log as well; secrets are masked.
pub fn pump(
    mut events: UnboundedReceiver<Event>,
    mut report: Box<dyn Report>,
    mut log: Option<Log>,
    progress: &Progress,
    (secrets, show): (&Secrets, bool),
) {
    let mut out = BufWriter::new(io::stdout());
    while let Some(mut event) = events.blocking_recv() {
        if matches!(event, Event::Over) {
            break;
        }
        mask::event(&mut event, &secrets.mask(), show);
        let mut page = Page::default();
        // Writing to memory does not fail; a reader that has gone away (`| head`) does not
        // end a run that is under way.
        let _ = report.event(&event, &mut page);
        for (stream, text) in page.parts() {
            if *stream == Stream::Err {
                let _ = out.flush();
                let _ = io::stderr().write_all(text);
            } else {
                let _ = out.write_all(text);
            }
        }
        let idle = events.is_empty();
        if idle {
            let _ = out.flush();
        }
        if let Some(log) = &mut log {
            log.event(&event);
        }
        progress.shown();
        if idle {
            // Events come in bursts. Nobody sees so short a wait, but to be woken for each of
            // them would cost the run more than to print it.
            std::thread::sleep(PAUSE);
        }
    }
    let _ = out.flush();
}
