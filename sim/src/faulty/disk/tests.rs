use super::*;
use crate::disk::RecordingDisk;
use cutpoint_engine::device::DeviceErrorKind;

const BLOCK: BlockId = BlockId::new(1);

fn disk(class: FaultClass, at: u64) -> FaultyDisk<RecordingDisk> {
    let geometry = Geometry::new(128, 4).unwrap().with_prog_size(4).unwrap();
    let disk = RecordingDisk::new(geometry, 0xff);
    FaultyDisk::new(disk, Some(Fault { class, at }))
}

fn kind(result: Result<(), DeviceError>) -> Option<DeviceErrorKind> {
    result.err().map(|error| error.kind)
}

fn bytes(disk: &mut FaultyDisk<RecordingDisk>) -> [u8; 16] {
    let mut buffer = [0; 16];
    disk.read(BLOCK, 0, &mut buffer).unwrap();
    buffer
}

#[test]
fn a_refused_program_leaves_nothing_a_torn_one_half_and_a_denied_one_all() {
    let data = [1; 16];
    for (class, there) in [
        (FaultClass::ProgRefused(Trouble::Device, Lasting::Once), 0),
        (FaultClass::ProgTorn(Trouble::Device), 8),
        (FaultClass::ProgDenied(Trouble::Device), 16),
    ] {
        let mut disk = disk(class, 0);
        let failed = kind(disk.prog(BLOCK, 0, &data));
        assert_eq!(failed, Some(DeviceErrorKind::Io(None)), "{class:?}");
        let mut expected = [0xff; 16];
        expected[..there].fill(1);
        assert_eq!(bytes(&mut disk), expected, "{class:?}");
        assert_eq!(kind(disk.prog(BLOCK, 16, &data)), None, "{class:?}");
        assert_eq!((disk.firings(), disk.lost_blocks()), (1, 0));
    }
}

#[test]
fn a_spoilt_program_differs_in_one_byte_and_says_nothing() {
    for (lasting, spoilt) in [(Lasting::Once, 1), (Lasting::ForGood, 2)] {
        let mut disk = disk(FaultClass::ProgSpoilt(lasting), 0);
        for _ in 0..2 {
            disk.erase(BLOCK).unwrap();
            disk.prog(BLOCK, 0, &[1; 16]).unwrap();
        }
        assert_eq!(disk.firings(), spoilt);
        let wrong = bytes(&mut disk).iter().filter(|&&byte| byte != 1).count();
        assert_eq!(wrong as u64, spoilt - 1);
    }
}

#[test]
fn what_lasts_holds_for_the_block_alone_and_can_be_put_on_another_device() {
    let mut disk = disk(
        FaultClass::EraseRefused(Trouble::Block, Lasting::ForGood),
        1,
    );
    disk.erase(BLOCK).unwrap();
    let bad = BlockId::new(2);
    let mut other = disk.defects_on(RecordingDisk::new(disk.geometry(), 0xff));
    assert_eq!(kind(other.erase(bad)), None, "nothing has happened yet");
    assert_eq!(kind(disk.erase(bad)), Some(DeviceErrorKind::BadBlock));
    let mut other = disk.defects_on(RecordingDisk::new(disk.geometry(), 0xff));
    for disk in [&mut disk, &mut other] {
        let programmed = kind(disk.prog(bad, 0, &[1; 4]));
        assert_eq!(programmed, Some(DeviceErrorKind::BadBlock));
        assert!(disk.is_lost(bad) && !disk.is_lost(BLOCK));
        assert_eq!(kind(disk.erase(BLOCK)), None);
        assert_eq!(kind(disk.read(bad, 0, &mut [0; 4])), None);
    }
}

#[test]
fn blocks_wear_out_one_by_one() {
    let mut disk = disk(FaultClass::WearsOut, 2);
    for block in [BLOCK, BlockId::new(2)] {
        let erased = [(); 3].map(|()| kind(disk.erase(block)));
        assert_eq!(erased, [None, None, Some(DeviceErrorKind::BadBlock)]);
    }
    assert_eq!(disk.occasions(FaultClass::WearsOut), 3);
    assert_eq!(disk.lost_blocks(), 2);
}

#[test]
fn a_device_that_runs_out_of_blocks_takes_writes_of_those_that_have_some() {
    let mut disk = disk(FaultClass::RunsOut, 2);
    let blocks = [1, 2, 3, 0].map(BlockId::new);
    let erased = blocks.map(|block| kind(disk.erase(block)));
    let bad = Some(DeviceErrorKind::BadBlock);
    assert_eq!(erased, [None, None, bad, bad]);
    assert_eq!(kind(disk.prog(BLOCK, 0, &[1; 4])), None);
    assert_eq!(disk.occasions(FaultClass::RunsOut), 2);
    assert_eq!((disk.firings(), disk.lost_blocks()), (2, 2));
}

#[test]
fn refused_reads_show_nothing_and_refused_syncs_record_nothing() {
    let mut one = disk(FaultClass::ReadRefused(Trouble::Block, Lasting::Once), 0);
    one.prog(BLOCK, 0, &[1; 4]).unwrap();
    let mut buffer = [7; 4];
    let failed = kind(one.read(BLOCK, 0, &mut buffer));
    assert_eq!(
        (failed, buffer),
        (Some(DeviceErrorKind::Unreadable), [0; 4])
    );
    assert_eq!(bytes(&mut one)[..4], [1; 4]);
    let mut other = disk(FaultClass::SyncRefused, 0);
    assert_eq!(kind(other.sync()), Some(DeviceErrorKind::Io(None)));
    other.sync().unwrap();
    assert_eq!(other.inner.into_trace().events().len(), 1);
}

#[test]
fn a_caller_that_tries_a_bad_block_for_ever_is_stopped() {
    let class = FaultClass::ProgRefused(Trouble::Block, Lasting::ForGood);
    let mut disk = disk(class, 0);
    disk.guard().set_budget(10);
    let stopped = crate::isolate::isolated(|| {
        loop {
            let _ = disk.prog(BLOCK, 0, &[1; 4]);
        }
    })
    .map(|never: std::convert::Infallible| never);
    assert_eq!(stopped, Err(crate::isolate::Stopped::BudgetExhausted));
}
