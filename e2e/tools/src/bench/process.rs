//! Memory and CPU time of a process, from `/proc`.

use std::{fs, time::Duration};

use anyhow::Context;

/// Length of the clock tick in which Linux reports CPU time.
const TICK: Duration = Duration::from_millis(10);

/// Memory in MiB.
pub(super) struct Memory {
    /// All resident memory.
    pub(super) resident: f64,
    /// The part that the process has written. The rest are pages of its program file, which the kernel drops when
    /// memory is low.
    pub(super) own: f64,
}

/// The memory of a process now.
pub(super) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("reading the process's status")?;
    let mib = |field: &str| {
        let line =
            status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| field.to_owned())?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().with_context(|| field.to_owned())?;
        anyhow::Ok(kib / 1024.0)
    };
    Ok(Memory { resident: mib("VmRSS:")?, own: mib("RssAnon:")? })
}

impl Memory {
    /// The second value as text.
    pub(super) fn detail(&self) -> String {
        format!("of these {:.1} MiB its own, the rest pages of the program file", self.own)
    }
}

/// CPU time used so far, in user and kernel mode.
pub(super) fn processor(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("reading the process's times")?;
    // the program's name, in parentheses, may contain spaces. After it come the state and 10 more fields before utime
    let (_, fields) = stat.rsplit_once(')').context("no name in the process's times")?;
    let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let ticks: u32 = times.sum::<Result<u32, _>>().context("a time that is no number")?;
    Ok(TICK * ticks)
}
