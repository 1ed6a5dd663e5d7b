//! Bags, `coalesce` and `partition` with lists and slices that do not fit.

use adagrad::{Adagrad, Backend, Bags, Error, Owners, Report, RowIndex, Table, coalesce, partition};

use super::{ACCUMULATOR, PARAMS, bits};

#[test]
fn bags() {
    let new = |offsets: &[i64], rows: &[i64]| Bags::new(offsets, rows).map(|bags| bags.len());
    let offset = |position, offset, least, greatest| Err(Error::Offset { position, offset, least, greatest });
    assert_eq!(new(&[], &[]), Err(Error::TooShort { what: "offsets", minimum: 1, actual: 0 }));
    assert_eq!(new(&[0], &[1]), Err(Error::Length { what: "rows", expected: 0, actual: 1 }));
    assert_eq!(new(&[1, 2], &[1, 1]), offset(0, 1, 0, 0));
    assert_eq!(new(&[-1, 2], &[1, 1]), offset(0, -1, 0, 0));
    assert_eq!(new(&[0, 2, 1, 2], &[1, 1]), offset(2, 1, 2, 2));
    assert_eq!(new(&[0, 3, 2], &[1, 1]), offset(1, 3, 0, 2));
    assert_eq!(new(&[0, i64::MIN, 2], &[1, 1]), offset(1, i64::MIN.into(), 0, 2));
    assert_eq!(new(&[0, 1], &[1, 1]), offset(1, 1, 2, 2));
    assert_eq!(new(&[0, 1, 3], &[1, 1]), offset(2, 3, 2, 2));
    assert_eq!(new(&[0, 1, i64::MAX], &[1, 1]), offset(2, i64::MAX.into(), 2, 2));
    assert_eq!(new(&[0, 1, 2], &[1, 1]), Ok(2));

    let sum = Bags::new(&[0_u32, 2, 3], &[2, 0, 2]).expect("in order");
    assert_eq!(sum.weighted(&[1.0; 2]).err(), Some(Error::Length { what: "weights", expected: 3, actual: 2 }));
    let weighted = sum.weighted(&[1.0; 3]).expect("one for each row");
    let outside = Bags::new(&[0_u32, 2, 3], &[2, 0, 3]).expect("in order");
    let opt = Adagrad::new(0.1);
    let grads = [1.0; 9];
    let unavailable = Backend::ALL.iter().find(|backend| !backend.is_available());
    let mut cases = vec![
        (opt, sum, &grads[..3], 0, Error::Length { what: "grads", expected: 4, actual: 3 }),
        (opt, outside, &grads[..4], 0, Error::Row { position: 2, row: 3, rows: 3 }),
        (opt, sum.mean(), &grads[..4], 1, Error::TooShort { what: "scratch", minimum: 2, actual: 1 }),
        (opt, weighted, &grads[..4], 1, Error::TooShort { what: "scratch", minimum: 2, actual: 1 }),
    ];
    if let Some(&backend) = unavailable {
        cases.push((opt.with_backend(backend), weighted, &grads[..4], 2, Error::Unavailable { backend }));
    }
    type Call = fn(&Adagrad, &mut Table<'_>, &Bags<'_, u32>, &[f32], &mut [f32]) -> Result<Report, Error>;
    let calls: [Call; 2] = [
        Adagrad::step_bags,
        #[cfg(feature = "rayon")]
        Adagrad::par_step_bags,
        #[cfg(not(feature = "rayon"))]
        Adagrad::step_bags,
    ];
    for (opt, bags, grads, room, error) in cases {
        for call in calls {
            let (mut params, mut accumulator, mut scratch) = (PARAMS, ACCUMULATOR, [7.0; 2]);
            let mut table = Table::new(&mut params, &mut accumulator, 2).expect("its shape fits");
            assert_eq!(call(&opt, &mut table, &bags, grads, &mut scratch[..room]), Err(error));
            assert_eq!((bits(&params), bits(&accumulator), scratch), (bits(&PARAMS), bits(&ACCUMULATOR), [7.0; 2]));
        }
    }
    let mut table = Table::new(&mut [], &mut [], usize::MAX).expect("valid");
    let bags = Bags::new(&[0_u32; 3], &[]).expect("in order");
    assert_eq!(opt.step_bags(&mut table, &bags, &[], &mut []), Err(Error::Overflow { rows: 2, dim: usize::MAX }));
}

#[test]
fn coalescing() {
    let call = |rows: usize, grads: usize, dim, scratch: usize| {
        let (mut r, mut g) = ([1_u32; 4], PARAMS);
        let result = coalesce(&mut r[..rows], &mut g[..grads], dim, &mut [9; 8][..scratch]);
        assert_eq!((r, bits(&g)), ([1; 4], bits(&PARAMS)), "changed by an error");
        result
    };
    assert_eq!(call(3, 6, 0, 8), Err(Error::ZeroDim));
    assert_eq!(call(3, 5, 2, 8), Err(Error::Length { what: "grads", expected: 6, actual: 5 }));
    assert_eq!(call(3, 6, 2, 2), Err(Error::TooShort { what: "scratch", minimum: 3, actual: 2 }));
}

#[test]
fn partitioning() {
    fn call<I: RowIndex + From<u8> + core::fmt::Debug>(
        rows: &[I],
        dim: usize,
        owners: Owners<'_>,
        [grads, to_rows, to_grads, counts]: [usize; 4],
    ) -> Result<(), Error> {
        let (mut r, mut g, mut c) = ([I::from(9); 4], [7.0_f32; 9], [8_usize; 4]);
        let result =
            partition(rows, &PARAMS[..grads], dim, owners, &mut r[..to_rows], &mut g[..to_grads], &mut c[..counts]);
        if result.is_err() {
            assert_eq!((r, g, c), ([I::from(9); 4], [7.0; 9], [8; 4]), "changed by an error");
        }
        result
    }
    let two = Owners::Modulo { owners: 2, rows: 5 };
    let length = |what, expected, actual| Err(Error::Length { what, expected, actual });
    assert_eq!(call(&[1_u32, 4], 3, two, [6, 2, 6, 2]), Ok(()));
    assert_eq!(call(&[1_u32, 4], 0, two, [6, 2, 6, 2]), Err(Error::ZeroDim));
    assert_eq!(call(&[1_u32, 4], 3, two, [5, 2, 6, 2]), length("grads", 6, 5));
    assert_eq!(call(&[1_u32, 4], 3, two, [6, 3, 6, 2]), length("to_rows", 2, 3));
    assert_eq!(call(&[1_u32, 4], 3, two, [6, 2, 7, 2]), length("to_grads", 6, 7));
    assert_eq!(call(&[1_u32, 4], 3, two, [6, 2, 6, 3]), length("counts", 2, 3));
    assert_eq!(call::<u32>(&[], 3, Owners::Modulo { owners: 0, rows: 5 }, [0; 4]), Err(Error::NoOwners));
    assert_eq!(call::<u32>(&[], 3, Owners::Ranges(&[]), [0; 4]), Err(Error::NoOwners));
    let falls = Error::Range { position: 2, end: 3, start: 4 };
    assert_eq!(call(&[1_u32, 2], 3, Owners::Ranges(&[1, 4, 3]), [6, 2, 6, 3]), Err(falls));
    let overflow = Error::Overflow { rows: 2, dim: usize::MAX };
    assert_eq!(call(&[1_u32, 2], usize::MAX, two, [6, 2, 6, 2]), Err(overflow));
    for owners in [two, Owners::Ranges(&[2, 5])] {
        let at_1 = |row| Err(Error::Row { position: 1, row, rows: 5 });
        assert_eq!(call(&[0_u32, 5], 3, owners, [6, 2, 6, 2]), at_1(5));
        assert_eq!(call(&[0_u32, u32::MAX], 3, owners, [6, 2, 6, 2]), at_1(u32::MAX.into()));
        assert_eq!(call(&[0_u64, u64::MAX], 3, owners, [6, 2, 6, 2]), at_1(u64::MAX.into()));
        assert_eq!(call(&[0, usize::MAX], 3, owners, [6, 2, 6, 2]), at_1(usize::MAX as i128));
        assert_eq!(call(&[0_i32, -1], 3, owners, [6, 2, 6, 2]), at_1(-1));
        assert_eq!(call(&[0_i64, i64::MIN], 3, owners, [6, 2, 6, 2]), at_1(i64::MIN.into()));
    }
    // As many rows as there can be: only those that a signed index can name.
    let all = Owners::Modulo { owners: 2, rows: usize::MAX };
    assert_eq!(call(&[i32::MAX, 0], 3, all, [6, 2, 6, 2]), Ok(()));
    assert_eq!(call(&[u32::MAX - 1, 0], 3, all, [6, 2, 6, 2]), Ok(()));
    assert_eq!(call(&[0_i32, -1], 3, all, [6, 2, 6, 2]), Err(Error::Row { position: 1, row: -1, rows: usize::MAX }));
}
