//! One command: a headline before it, its time after it, and a failure that shows what was run.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// Runs a command that must succeed; its output goes to the terminal.
///
/// # Errors
///
/// The command cannot be started, or it fails.
pub(crate) fn run(headline: &str, command: &mut Command) -> Result<()> {
    announce(headline);
    let began = Instant::now();
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if !status.success() {
        bail!("{headline} failed ({status}). The command was:\n  {}", shown(command));
    }
    println!("    {}", seconds(began.elapsed()));
    Ok(())
}

/// Runs a command that must succeed and returns what it prints, without showing it.
///
/// # Errors
///
/// The command cannot be started, fails, or prints something that is not UTF-8.
pub(crate) fn query(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", shown(command), output.status, said.trim());
    }
    let text = String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", shown(command)))?;
    Ok(text.trim().to_owned())
}

/// Runs a command, shows its standard output line by line, and returns it with the status. A failing command is no error here.
///
/// # Errors
///
/// The command cannot be started or read from.
pub(crate) fn echo(command: &mut Command) -> Result<(ExitStatus, String)> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| cannot_start(command, &error))?;
    let mut pipe = BufReader::new(child.stdout.take().context("standard output was not piped")?);
    let mut terminal = std::io::stdout();
    let mut captured = Vec::new();
    loop {
        let start = captured.len();
        if pipe.read_until(b'\n', &mut captured)? == 0 {
            break;
        }
        terminal.write_all(&captured[start..])?;
        terminal.flush()?;
    }
    Ok((child.wait()?, String::from_utf8_lossy(&captured).into_owned()))
}

/// Prints the line that opens a step.
pub(crate) fn announce(headline: &str) {
    println!("\n==> {headline}");
}

/// A duration for people: seconds with one decimal.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// The command as one could type it, with the variables set for it.
pub(crate) fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{}={}", name.to_string_lossy(), quoted(value)))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy();
    if error.kind() == ErrorKind::NotFound {
        anyhow!("`{program}` is not on PATH. It was needed for:\n  {}", shown(command))
    } else {
        anyhow!("cannot start `{program}`: {error}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("cargo");
        command.args(["test", "--", "it's"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("RUSTFLAGS");
        assert_eq!(shown(&command), r"RUSTDOCFLAGS='-D warnings' cargo test -- 'it'\''s'");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run("try", &mut Command::new("driftglass-no-such-program")).unwrap_err().to_string();
        assert!(error.starts_with("`driftglass-no-such-program` is not on PATH"), "{error}");
    }

    #[test]
    fn a_failure_shows_the_command() {
        let error = run("fail", Command::new("rustc").arg("--no-such-flag")).unwrap_err().to_string();
        assert!(error.contains("rustc --no-such-flag"), "{error}");
    }
}
