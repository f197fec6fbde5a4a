//! A script, in a process group of its own.
//!
//! It ends with us: told to stop, the group gets SIGTERM and, five seconds later, SIGKILL; when this process dies,
//! however it dies, a watcher in the group reads the end of a pipe that only we hold, and kills the group. What leaves
//! the group on purpose (`setsid`) is out of reach.

mod group;
mod output;

use std::{collections::BTreeMap, process::ExitStatus, time::Duration};

use manifest::kinds::playbook::ExecStep;
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

use super::{Attempt, Outcome, Stop, stop};
use crate::clean;
use group::Group;
use output::Output;

/// How long a group has to end itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// How long after the end what is still in the pipes is read: only something that left the group holds them longer.
const DRAIN: Duration = Duration::from_secs(2);

/// How much of standard output and of standard error the result has at most: the last of it.
const KEPT: usize = 64 * 1024;

/// What a script has of our environment.
const OURS: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

/// Runs the script.
pub(super) async fn perform(attempt: &mut Attempt<'_>, step: &ExecStep) -> Outcome {
    let env = match environment(attempt, step).await {
        Ok(env) => env,
        Err(reason) => return Outcome::wrong(reason),
    };
    let started = Group::start(&step.interpreter, &step.script, &env);
    let mut group = match started {
        Ok(group) => group,
        Err(error) => {
            let reason = clean::text(&attempt.context.redactor, &clean::chain(&error));
            return Outcome::Failed { reason, result: None, again: true };
        }
    };
    let mut output = Output::new(attempt, group.pipes());
    let mut stopped = attempt.stopped.clone();
    // The output is read on while the script ends: a full pipe would keep it from doing so.
    let (status, stop) = tokio::select! {
        ended = end(&mut group, &mut stopped) => ended,
        never = output.pump_forever() => match never {},
    };
    group.kill();
    // Past this bound the pipes are held by something that left the group.
    drop(timeout(DRAIN, output.pump()).await);
    output.close().await;
    outcome(&output, status, stop)
}

/// Waits for the end of the script, or makes it once it is told to.
async fn end(
    group: &mut Group,
    stopped: &mut watch::Receiver<Option<Stop>>,
) -> (std::io::Result<ExitStatus>, Option<Stop>) {
    let stop = tokio::select! {
        status = group.ended() => return (status, None),
        stop = stop(stopped) => stop,
    };
    group.terminate();
    let status = match timeout(GRACE, group.ended()).await {
        Ok(status) => status,
        Err(_) => {
            group.kill();
            group.ended().await
        }
    };
    (status, Some(stop))
}

async fn environment(attempt: &mut Attempt<'_>, step: &ExecStep) -> Result<BTreeMap<String, String>, String> {
    let ours = OURS.iter().filter_map(|name| Some(((*name).to_owned(), runtime::config::var(name)?)));
    let mut env: BTreeMap<String, String> = ours.collect();
    let run = attempt.lease.run;
    env.insert("PERIGEE_RUN".to_owned(), run.to_string());
    env.insert("PERIGEE_STEP".to_owned(), attempt.step.name.clone());
    env.insert("IDEMPOTENCY_KEY".to_owned(), run.step_key(&attempt.step.name).to_string());
    for (name, value) in &step.env {
        let value = attempt.context.value(&format!("variable `{name}`"), value).await?;
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(format!(
                "variable `{name}` cannot be passed to a script: its name or value holds NUL or `=`"
            ));
        }
        env.insert(name.clone(), value);
    }
    Ok(env)
}

fn outcome(output: &Output<'_>, status: std::io::Result<ExitStatus>, stop: Option<Stop>) -> Outcome {
    let code = status.as_ref().ok().and_then(ExitStatus::code);
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let mut result = json!({
        "exitCode": code,
        "stdout": stdout.text,
        "stderr": stderr.text,
        "truncated": stdout.cut || stderr.cut || output.dropped() > 0,
    });
    if !stdout.cut
        && let Ok(json) = serde_json::from_str::<Value>(&stdout.text)
    {
        // What JSON hides behind escapes comes to light when it is read.
        result["json"] = output.clean(json);
    }
    if let Some(stop) = stop {
        return Outcome::Stopped {
            stop,
            reason: "its processes were ended".to_owned(),
            result: Some(result),
        };
    }
    match (status, code) {
        (_, Some(0)) => Outcome::Completed(result),
        (_, Some(code)) => {
            let last = stderr.text.trim_end().rsplit('\n').next().unwrap_or_default();
            let (last, _) = clean::head(last, 300);
            let reason = if last.is_empty() {
                format!("the script ended with {code}")
            } else {
                format!("the script ended with {code}: {last}")
            };
            Outcome::Failed { reason, result: Some(result), again: true }
        }
        (Ok(status), None) => Outcome::Failed {
            reason: format!("the script was ended from outside: {status}"),
            result: Some(result),
            again: true,
        },
        (Err(error), None) => Outcome::Failed {
            reason: format!("how the script ended cannot be known: {error}"),
            result: Some(result),
            again: true,
        },
    }
}
