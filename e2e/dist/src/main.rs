//! `make dist` and the checks of its results.
#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use serin_dist::{release::Release, site, unpack::unpack};

#[derive(Parser)]
#[command(about = "Makes the files of a release")]
struct Cli {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Writes all files of a release into a folder, and prints their sizes.
    Release {
        /// The folder of the static binaries.
        #[arg(long)]
        binaries: PathBuf,
        /// What they were built for.
        #[arg(long)]
        target: String,
        /// Helm, to package the charts.
        #[arg(long)]
        helm: PathBuf,
        /// The folder to write.
        #[arg(long)]
        out: PathBuf,
        /// Seconds since 1970, for everything that bears a time.
        #[arg(long, env = "SOURCE_DATE_EPOCH")]
        time: u64,
        /// The commit.
        #[arg(long)]
        revision: Option<String>,
        /// Where links of the notes lead.
        #[arg(long)]
        links: Option<String>,
    },
    /// Writes the source of the documentation's site.
    Book {
        /// The folder to write.
        out: PathBuf,
    },
    /// Follows the links of the built site.
    Links {
        /// Its folder.
        site: PathBuf,
    },
    /// Unpacks an image's archive, and prints user, group, folder and command.
    Unpack {
        /// The archive.
        archive: PathBuf,
        /// The folder to make.
        folder: PathBuf,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Action::Release { binaries, target, helm, out, time, revision, links } => {
            // make runs in the repository
            let root = PathBuf::from(".");
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let revision = revision.filter(|text| !text.is_empty());
            let links = links.filter(|text| !text.is_empty());
            let release = Release { root, binaries, target, helm, out, links, version, time, revision };
            let files = release.write()?;
            for (name, size) in &files {
                println!("{:>10.2} MiB  {name}", *size as f64 / f64::from(1 << 20));
            }
            println!("{} files in {}", files.len(), release.out.display());
        }
        Action::Book { out } => {
            let count = site::assemble(Path::new("."), &out)?;
            println!("{count} files in {}", out.display());
        }
        Action::Links { site } => {
            let broken = site::broken_in_site(&site)?;
            ensure!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
            println!("all links of {} lead somewhere", site.display());
        }
        Action::Unpack { archive, folder } => {
            let bytes = fs::read(&archive).with_context(|| format!("reading {}", archive.display()))?;
            let image = unpack(&bytes, &folder)?;
            println!("{} {} {}", image.user.replace(':', " "), image.folder, image.command.join(" "));
        }
    }
    Ok(())
}
