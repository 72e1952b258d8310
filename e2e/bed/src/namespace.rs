//! The network, mount and process namespace of a bed, and the lifetime of its processes.
//!
//! [`enter`] runs the current program again in new namespaces. The outer process stays: it creates the bed's folder,
//! writes the `in-bed` script, returns the exit code and removes the folder. The inner process is process 1 of its
//! namespace, so all processes that it starts end with it. It ends with the outer process, because it watches a socket
//! between the two.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::{Command as Sync, ExitStatus, exit},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
    process::Command,
    signal::unix::{SignalKind, signal},
    time::timeout,
};

/// Set to the bed's folder inside the namespace.
const INSIDE: &str = "SERIN_BED_INSIDE";
/// Set by users who want to keep the folder.
pub(super) const KEEP: &str = "KEEP";
/// The exit code after an interrupt, as in a shell.
const INTERRUPTED: i32 = 130;

/// Enters a new namespace. Call it first in `main`, before anything else starts.
///
/// Outside, it does not return: the program runs again inside, and this process exits with the same code. Inside, it
/// prepares the network and returns. Any number of programs may do this in parallel. The bed's folder is removed at the
/// end, unless the environment variable `KEEP` is set.
pub fn enter() -> anyhow::Result<()> {
    match base_dir() {
        Some(dir) => prepare(&dir),
        // A separate thread, so that this also works inside a runtime.
        None => match std::thread::spawn(outside).join() {
            Ok(Ok(code)) => exit(code),
            Ok(Err(error)) => Err(error),
            Err(_) => bail!("the outer process of the bed panicked"),
        },
    }
}

/// The folder of this namespace, if this process is inside one.
pub(super) fn base_dir() -> Option<PathBuf> {
    env::var_os(INSIDE).map(PathBuf::from)
}

/// Makes `host` resolve to `ip` inside the namespace.
pub(super) fn add_host(dir: &Path, host: &str, ip: &str) -> anyhow::Result<()> {
    let path = dir.join("hosts");
    // Appends in place: a new file would not be the mounted one.
    let mut file = fs::OpenOptions::new().append(true).open(&path).context("opening the hosts file")?;
    writeln!(file, "{ip} {host}").context("writing the hosts file")
}

/// The outer process: starts the inner one, waits for it, and cleans up.
fn outside() -> anyhow::Result<i32> {
    let dir = make_dir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(supervise(&dir));
    if env::var_os(KEEP).is_none() {
        fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    }
    code
}

/// A new folder that no other bed has.
fn make_dir() -> anyhow::Result<PathBuf> {
    let pid = std::process::id();
    for n in 0..1000 {
        let dir = env::temp_dir().join(format!("serin-bed-{pid}-{n}"));
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("creating {}", dir.display())),
        }
    }
    bail!("no free name for a folder below {}", env::temp_dir().display())
}

async fn supervise(dir: &Path) -> anyhow::Result<i32> {
    fs::write(dir.join("hosts"), "127.0.0.1 localhost\n::1 localhost\n").context("writing the hosts file")?;
    let listener = UnixListener::bind(dir.join("outer.sock")).context("binding the bed's socket")?;
    let root = geteuid().is_root();
    let mut command = Command::new("unshare");
    if !root {
        command.arg("-Ur");
    }
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    command.arg(env::current_exe()?).args(env::args_os().skip(1)).kill_on_drop(true);
    command.env(INSIDE, dir).env("PATH", path_with_tools()?);
    let mut child =
        command.spawn().context("cannot run `unshare` (Debian, Ubuntu: apt install util-linux)")?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let mut inner = tokio::select! {
        status = child.wait() => bail!("{}", cannot_unshare(status?, root)),
        accepted = listener.accept() => accepted.context("waiting for the inner process")?.0,
        _ = interrupt.recv() => return Ok(INTERRUPTED),
        _ = terminate.recv() => return Ok(INTERRUPTED),
    };
    // The kernel translates the process id to our namespace.
    let pid = inner.peer_cred()?.pid().context("the kernel does not say who connected")?;
    write_script(dir, pid, root)?;
    inner.write_all(b"go\n").await?;

    let code = tokio::select! {
        status = child.wait() => status?.code().unwrap_or(1),
        _ = interrupt.recv() => INTERRUPTED,
        _ = terminate.recv() => INTERRUPTED,
    };
    if code == INTERRUPTED {
        child.kill().await.context("ending the inner process")?;
    }
    // The end of the stream means that the inner process, and with it the namespace, is gone.
    let mut rest = Vec::new();
    timeout(Duration::from_secs(10), inner.read_to_end(&mut rest))
        .await
        .context("the inner process does not die")?
        .ok();
    Ok(code)
}

/// The PATH, then folders with system tools that users seldom call, then the tools that were unpacked for us.
fn path_with_tools() -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin".into(), "/sbin".into(), crate::part::folder("tools.sh")?];
    env::join_paths(env::split_paths(&path).chain(more)).context("extending PATH")
}

fn cannot_unshare(status: ExitStatus, root: bool) -> String {
    let hint = if root {
        "In a container this needs CAP_SYS_ADMIN (docker run --privileged)."
    } else {
        "Without root this needs user namespaces: `sysctl kernel.unprivileged_userns_clone=1` on Debian, \
         `sysctl kernel.apparmor_restrict_unprivileged_userns=0` on Ubuntu 24.04 and newer; or run it as root."
    };
    format!(
        "the bed could not enter a namespace of its own: `unshare` or the set-up inside it ended with {status}. {hint}"
    )
}

/// `in-bed COMMAND…` runs a command inside the bed.
fn write_script(dir: &Path, pid: i32, root: bool) -> anyhow::Result<()> {
    let user = if root { "" } else { "-U --preserve-credentials " };
    let shown = dir.display();
    let script = format!(
        "#!/bin/sh\n# Runs a command inside the bed: network, processes, KUBECONFIG of its admin, kubectl in PATH.\n\
         exec nsenter {user}-t {pid} -n -m -p -- sh -c \
         'cd \"$0\"; [ -f {shown}/env ] && . {shown}/env; exec \"$@\"' \"$PWD\" \"$@\"\n"
    );
    let path = dir.join("in-bed");
    fs::write(&path, script).context("writing in-bed")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).context("making in-bed executable")
}

/// The inner process: sets up addresses, the hosts file, and the connection to the outer process.
fn prepare(dir: &Path) -> anyhow::Result<()> {
    let mut stream =
        UnixStream::connect(dir.join("outer.sock")).context("connecting to the outer process")?;
    run("ip", &["link", "set", "lo", "up"])?;
    // Makes every pod address a local one. Nothing leaves the machine.
    run("ip", &["route", "add", "local", "10.244.0.0/16", "dev", "lo"])?;
    // Without a source address, ClusterIPs time out under kube-proxy.
    run("ip", &["route", "add", "local", "10.96.0.0/16", "dev", "lo", "src", "10.244.255.1"])?;
    run("mount", &["--bind", &dir.join("hosts").display().to_string(), "/etc/hosts"])?;
    raise_file_limit();
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line).context("hearing from the outer process")?;
    std::thread::spawn(move || {
        // Nothing is sent on this stream: this returns when the outer process is gone.
        std::io::copy(&mut stream, &mut std::io::sink()).ok();
        exit(INTERRUPTED);
    });
    Ok(())
}

/// Each pod has a listener and connections: the default soft limit of 1,024 is reached at about 300 pods.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // If this is not allowed, small beds still work.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
}

fn run(program: &str, args: &[&str]) -> anyhow::Result<()> {
    let output = Sync::new(program)
        .args(args)
        .output()
        .with_context(|| format!("cannot run `{program}` (Debian, Ubuntu: apt install iproute2 mount)"))?;
    if !output.status.success() {
        bail!("`{program} {}` failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
