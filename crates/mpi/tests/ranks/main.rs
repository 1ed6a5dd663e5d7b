//! Runs all cases under `mpirun` with 1 to 4 ranks, and compares them with one process. Started by `cargo test`, this program
//! starts itself as the ranks.

mod dense;
mod inputs;
mod refusals;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs, panic};

use mpi::topology::SimpleCommunicator;
use mpi::traits::Communicator;

/// What a rank is to do: `JOB FOLDER RANKS`, where the last is how many ranks wrote the checkpoints in the folder.
const JOB: &str = "ADAGRAD_MPI_TEST";

/// What the cases get.
struct Context<'c> {
    world: &'c SimpleCommunicator,
    rank: usize,
    ranks: usize,
    folder: PathBuf,
}

impl Context<'_> {
    /// The part of so many positions of a batch that this rank has. In each third step rank 0 has none.
    fn part(&self, len: usize, step: usize) -> std::ops::Range<usize> {
        if step % 3 == 2 && self.ranks > 1 {
            let at = |rank: usize| len * rank.saturating_sub(1) / (self.ranks - 1);
            at(self.rank)..at(self.rank + 1)
        } else {
            len * self.rank / self.ranks..len * (self.rank + 1) / self.ranks
        }
    }
}

fn main() {
    if let Ok(job) = env::var(JOB) {
        return run(&job);
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ranks");
    // From an earlier run.
    let _ = fs::remove_dir_all(&folder);
    let of = |ranks: usize| folder.join(ranks.to_string());
    for ranks in 1..=4 {
        fs::create_dir_all(of(ranks)).expect("a folder for temporary files");
        start(ranks, &format!("all {}", of(ranks).display()));
    }
    // One file, whatever wrote it.
    let mut files = 0;
    for entry in fs::read_dir(of(1)).expect("a folder").map(|entry| entry.expect("a file")) {
        let expected = fs::read(entry.path()).expect("a checkpoint");
        for ranks in 2..=4 {
            let other = fs::read(of(ranks).join(entry.file_name())).expect("a checkpoint");
            assert!(other == expected, "{:?} of {ranks} ranks has other bytes than of one", entry.file_name());
            files += 1;
        }
    }
    println!("checkpoints: {files} files have the bytes of those of one process");
    assert!(files > 0);
    for (ranks, wrote) in [(1, 4), (2, 3), (3, 1), (4, 2)] {
        start(ranks, &format!("resume {}", of(wrote).display()));
    }
}

/// The messages of Open MPI about root and about more ranks than processors are switched off by these.
fn start(ranks: usize, job: &str) {
    println!("{ranks} ranks: {}", job.split(' ').next().unwrap_or_default());
    let program = env::current_exe().expect("this program");
    let status = Command::new("mpirun")
        .args(["-n", &ranks.to_string()])
        .arg(program)
        .env(JOB, job)
        .envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")])
        .envs([("OMPI_MCA_rmaps_base_oversubscribe", "1"), ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")])
        .status()
        .expect("mpirun is installed: on Debian, apt-get install openmpi-bin");
    assert!(status.success(), "{ranks} ranks failed: {status}");
}

fn run(job: &str) {
    // A rank that unwinds would wait in MPI_Finalize for the others.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        hook(info);
        exit(1);
    }));
    let universe = mpi::initialize().expect("MPI starts");
    let world = universe.world();
    let (job, folder) = job.split_once(' ').expect("a job and a folder");
    let (rank, ranks) = (world.rank() as usize, world.size() as usize);
    let context = Context { world: &world, rank, ranks, folder: Path::new(folder).into() };
    match job {
        "all" => {
            table::steps(&context);
            dense::steps(&context);
            refusals::all(&context);
        }
        "resume" => {
            table::resume(&context);
            dense::resume(&context);
        }
        other => panic!("no job {other}"),
    }
}
