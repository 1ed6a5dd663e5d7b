//! A model of time and memory for tables over many machines, as tables in Markdown: `cargo run --example model`. The figures
//! that it starts from are the constants below. docs/scaling.md says where they come from.

/// Columns of the table.
const DIM: f64 = 64.0;
/// Measured on one core, in seconds for each row: sorting by owner, and the step of rows in memory.
const PREPARE: f64 = 27e-9;
const STEP: f64 = 146e-9;

/// Assumed of a machine: how many times as fast all its cores are as one; bytes of memory; bytes a second to its disk.
const CORES: f64 = 8.0;
const MEMORY: f64 = 512e9;
const DISK: f64 = 2e9;
/// Assumed of the network: bytes a second each way for each machine, and seconds for each message.
const NETWORK: f64 = 12.5e9;
const MESSAGE: f64 = 2e-6;
/// Assumed of the work: rows in each machine's part of a batch.
const BATCH: f64 = 131_072.0;

const PARAMETERS: [f64; 4] = [1e9, 1e10, 1e11, 1e12];
const MACHINES: [f64; 4] = [8.0, 64.0, 256.0, 1000.0];

/// How popular the rows are.
#[derive(Clone, Copy, PartialEq)]
enum Popularity {
    /// All alike.
    Even,
    /// The `r`th has a share in proportion to `1/r`.
    Zipf,
    /// The same, but each machine sums the gradients of a row before it sends them.
    Coalesced,
}

fn main() {
    println!(
        "Memory of each machine in GB, for one accumulator per element | per row; and the seconds that a checkpoint takes:\n"
    );
    heading("parameters", MACHINES.map(|machines| format!("{machines} machines")));
    for parameters in PARAMETERS {
        let cells = MACHINES.map(|machines| {
            let [element_wise, row_wise] = [8.0, 4.0 + 4.0 / DIM].map(|bytes| bytes * parameters / machines);
            let mark = |bytes: f64| if bytes > MEMORY { "!" } else { "" };
            let [first, second] = [element_wise, row_wise].map(|bytes| format!("{:.3}{}", bytes / 1e9, mark(bytes)));
            format!("{first}, {second}; {:.0} s", (element_wise / DISK).ceil())
        });
        println!("| {parameters:e} | {} |", cells.join(" | "));
    }

    println!("\nA step in ms: sorting, bytes, messages, rows' step; their sum; the greatest of them:\n");
    heading("rows' popularity", MACHINES.map(|machines| format!("{machines} machines")));
    for (name, popularity) in [
        ("even", Popularity::Even),
        ("1/r", Popularity::Zipf),
        ("1/r, each machine coalesces first", Popularity::Coalesced),
    ] {
        println!("| {name} | {} |", MACHINES.map(|machines| step(machines, popularity)).join(" | "));
    }
}

fn heading(first: &str, others: [String; 4]) {
    println!("| {first} | {} |\n|---|{}", others.join(" | "), "---:|".repeat(others.len()));
}

/// One step of the machine that has the most popular row.
fn step(machines: f64, popularity: Popularity) -> String {
    // The share of the most popular of 10⁹ rows or so.
    let share = 1.0 / (1e9_f64.ln() + 0.577);
    let received = match popularity {
        Popularity::Even => BATCH,
        Popularity::Zipf => BATCH * (machines * share + 1.0 - share),
        // At most: where the other rows of a batch are all different.
        Popularity::Coalesced => BATCH * (1.0 - share) + machines,
    };
    let bytes = received * (4.0 * DIM + 8.0) * (machines - 1.0) / machines;
    let parts = [
        ("sorting", BATCH * PREPARE / CORES),
        ("bytes", bytes / NETWORK),
        // Rows and gradients to each other machine, and three exchanges that take a logarithm of the machines.
        ("messages", MESSAGE * (2.0 * (machines - 1.0) + 3.0 * machines.log2())),
        ("step", received * STEP / CORES),
    ];
    let sum: f64 = parts.iter().map(|(_, time)| time).sum();
    let (limit, _) = parts.iter().fold(parts[0], |most, part| if part.1 > most.1 { *part } else { most });
    let times = parts.map(|(_, time)| format!("{:.2}", time * 1e3)).join(" + ");
    format!("{times} = {:.1}: {limit}", sum * 1e3)
}
