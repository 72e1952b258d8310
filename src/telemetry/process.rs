//! Metrics of the process itself, under the names of Prometheus clients, from Linux' `/proc/self` at each scrape.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::catalog;

/// Reads them at each scrape. Unreadable ones are omitted.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let files = std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as f64;
        let told = Told {
            stat: read("/proc/self/stat"),
            limits: read("/proc/self/limits"),
            boot: read("/proc/stat"),
            // the folder itself is open while it is read
            files: files.map(|files| files.saturating_sub(1)),
        };
        for (name, value) in told.values(ticks, page) {
            let (bare, help) = catalog::named(name);
            if name.ends_with("_total") {
                let mut metric = encoder.encode_descriptor(bare, help, None, MetricType::Counter)?;
                metric.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
            } else {
                let mut metric = encoder.encode_descriptor(bare, help, None, MetricType::Gauge)?;
                metric.encode_gauge(&value)?;
            }
        }
        Ok(())
    }
}

/// The kernel's data.
struct Told {
    stat: String,
    limits: String,
    boot: String,
    files: Option<usize>,
}

impl Told {
    fn values(&self, ticks: f64, page: f64) -> Vec<(&'static str, f64)> {
        // fields are counted after the name of the program, which may contain spaces: proc_pid_stat(5), from field 3
        let fields: Vec<&str> =
            self.stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let boot = self.boot.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
        let open = self.limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        let most = open.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        let all = [
            ("process_cpu_seconds_total", field(14).zip(field(15)).map(|(user, sys)| (user + sys) / ticks)),
            ("process_resident_memory_bytes", field(24).map(|pages| pages * page)),
            ("process_virtual_memory_bytes", field(23)),
            ("process_open_fds", self.files.map(|files| files as f64)),
            ("process_max_fds", most),
            ("process_threads", field(20)),
            ("process_start_time_seconds", field(22).zip(boot).map(|(start, boot)| boot + start / ticks)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read_behind_the_name_of_the_program() {
        let told = Told {
            stat: "7 (a (b) c) S 1 7 7 0 -1 0 9 0 0 0 150 50 0 0 20 0 12 0 300 4096 25 0".into(),
            limits: "Limit  Soft  Hard\nMax open files            1024                 4096   files\n".into(),
            boot: "cpu 1 2\nbtime 1000\n".into(),
            files: Some(9),
        };
        let expected = [
            ("process_cpu_seconds_total", 2.0),
            ("process_resident_memory_bytes", 102_400.0),
            ("process_virtual_memory_bytes", 4096.0),
            ("process_open_fds", 9.0),
            ("process_max_fds", 1024.0),
            ("process_threads", 12.0),
            ("process_start_time_seconds", 1003.0),
        ];
        assert_eq!(told.values(100.0, 4096.0), expected);
        let nothing = Told { stat: String::new(), limits: String::new(), boot: String::new(), files: None };
        assert_eq!(nothing.values(100.0, 4096.0), []);
    }
}
