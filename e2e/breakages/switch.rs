
/// Whether this process has the defect with this name. `e2e/breakages/run.sh` appends this to `src/lib.rs` of its copy.
pub(crate) fn broken(defect: &str) -> bool {
    static NAMED: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("SERIN_BREAKAGE").ok());
    NAMED.as_deref() == Some(defect)
}
