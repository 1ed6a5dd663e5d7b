//! What the figures were measured on, as far as Linux tells. Elsewhere there is less to say.

use std::fs;

/// A cache of data, with the bytes that one core sees of it.
pub(crate) struct Cache {
    pub(crate) level: String,
    pub(crate) bytes: usize,
}

/// The processor's name, architecture, operating system, threads and caches.
pub(crate) fn description() -> String {
    let cpu = value_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "CPU of unknown name".into());
    // The name may hide the generation, which these two numbers tell.
    let [family, model] = ["cpu family", "model"].map(|key| value_of("/proc/cpuinfo", key));
    let generation = family.zip(model).map(|(family, model)| format!(" family {family} model {model}"));
    let generation = generation.unwrap_or_default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let system = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let mut text = format!("{cpu}{generation} ({system}, {threads} hardware threads)");
    for Cache { level, bytes } in caches() {
        text += &format!(", L{level} {}", crate::text::bytes(bytes));
    }
    text
}

/// The caches of data, smallest first.
pub(crate) fn caches() -> Vec<Cache> {
    let of_index = |index| {
        let read = |what| fs::read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{what}")).ok();
        if read("type")?.trim() == "Instruction" {
            return None;
        }
        let size = read("size")?;
        let kibibytes: usize = size.trim().strip_suffix('K')?.parse().ok()?;
        Some(Cache { level: read("level")?.trim().into(), bytes: kibibytes << 10 })
    };
    (0..8).filter_map(of_index).collect()
}

/// For what memory the system makes huge pages of 2 MiB by itself, as Linux tells it.
pub(crate) fn huge_pages() -> String {
    let text = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    let choice = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    choice.map_or_else(|| "unknown".into(), |(choice, _)| choice.into())
}

/// Whether so many bytes can be filled. Linux promises more memory than there is, so asking for it is no test.
pub(crate) fn has_memory(bytes: usize) -> bool {
    let available = value_of("/proc/meminfo", "MemAvailable");
    let kibibytes = available.and_then(|text| text.split_whitespace().next()?.parse::<usize>().ok());
    kibibytes.is_none_or(|kibibytes| bytes >> 10 < kibibytes)
}

/// The value of the first line `key : value`.
fn value_of(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().into())
    })
}
