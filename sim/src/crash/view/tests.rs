use super::*;
use crate::disk::RecordingDisk;
use crate::trace::Image;
use proptest::prelude::*;

const BLOCK_SIZE: u32 = 128;
const BLOCK_COUNT: u32 = 4;
const UNIT: u32 = 16;

/// A device call that a test makes; refused ones leave no event.
#[derive(Clone, Debug)]
enum Call {
    Erase(u32),
    Prog {
        block: u32,
        unit: u32,
        data: Vec<u8>,
    },
    Sync,
}

fn call() -> impl Strategy<Value = Call> {
    let block = 0..BLOCK_COUNT;
    let prog = (block.clone(), 0..BLOCK_SIZE / UNIT, 1_u32..4, any::<u8>()).prop_map(
        |(block, unit, units, byte)| Call::Prog {
            block,
            unit,
            data: vec![byte; (units * UNIT) as usize],
        },
    );
    prop_oneof![1 => block.prop_map(Call::Erase), 6 => prog, 1 => Just(Call::Sync)]
}

fn make(device: &mut impl BlockDevice, call: &Call) -> Result<(), DeviceError> {
    match call {
        Call::Erase(block) => device.erase(BlockId::new(*block)),
        Call::Prog { block, unit, data } => device.prog(BlockId::new(*block), unit * UNIT, data),
        Call::Sync => device.sync(),
    }
}

fn geometry() -> Geometry {
    Geometry::new(BLOCK_SIZE, BLOCK_COUNT)
        .unwrap()
        .with_prog_size(UNIT)
        .unwrap()
}

fn record(image: &Image, calls: &[Call]) -> Arc<Trace> {
    let mut disk = RecordingDisk::on(image.clone(), geometry(), 0xff);
    for call in calls {
        // Refusals are part of the play: they must leave no trace.
        let _ = make(&mut disk, call);
    }
    Arc::new(disk.into_trace())
}

/// The image after the first `persisted` writes, built the slow way.
fn rebuild(image: &Image, trace: &Trace, persisted: u32) -> Vec<u8> {
    let mut bytes = image.to_vec(geometry(), 0xff);
    let size = BLOCK_SIZE as usize;
    let mut left = persisted;
    for event in trace.events() {
        if event.written_block().is_some() {
            if left == 0 {
                break;
            }
            left -= 1;
        }
        match event {
            Event::Erase { block } => {
                bytes[block.index() as usize * size..][..size].fill(0xff);
            }
            Event::Prog {
                block,
                offset,
                data,
            } => {
                bytes[block.index() as usize * size + *offset as usize..][..data.len()]
                    .copy_from_slice(data);
            }
            Event::Sync | Event::OperationStart(_) | Event::OperationEnd(_) => {}
        }
    }
    bytes
}

fn read_all(device: &mut impl BlockDevice) -> Vec<u8> {
    let mut bytes = vec![0; (BLOCK_SIZE * BLOCK_COUNT) as usize];
    for (block, chunk) in (0..).zip(bytes.chunks_mut(BLOCK_SIZE as usize)) {
        device.read(BlockId::new(block), 0, chunk).unwrap();
    }
    bytes
}

fn image() -> impl Strategy<Value = Image> {
    let bytes = prop::collection::vec(
        prop_oneof![3 => Just(0xff), 1 => any::<u8>()],
        (BLOCK_SIZE * BLOCK_COUNT) as usize,
    );
    prop_oneof![
        Just(Image::Erased),
        bytes.prop_map(|bytes| Image::Bytes(bytes.into()))
    ]
}

proptest! {
    #[test]
    fn every_view_reads_as_a_rebuilt_image(
        image in image(),
        calls in prop::collection::vec(call(), 0..40),
        (block, start, end) in (0..BLOCK_COUNT, 0..=BLOCK_SIZE, 0..=BLOCK_SIZE),
    ) {
        let trace = record(&image, &calls);
        for persisted in 0..=trace.writes() {
            let naive = rebuild(&image, &trace, persisted);
            let mut view = CrashView::new(Arc::clone(&trace), CrashState::prefix(persisted)).unwrap();
            let (start, end) = (start.min(end), start.max(end));
            let mut part = vec![0; (end - start) as usize];
            view.read(BlockId::new(block), start, &mut part).unwrap();
            let base = (block * BLOCK_SIZE) as usize;
            prop_assert_eq!(&part, &naive[base + start as usize..base + end as usize]);
            prop_assert_eq!(read_all(&mut view), naive);
        }
    }

    #[test]
    fn written_on_it_behaves_as_a_recording_disk_on_the_rebuilt_image(
        image in image(),
        before in prop::collection::vec(call(), 0..30),
        after in prop::collection::vec(call(), 0..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let trace = record(&image, &before);
        let persisted = cut.index(trace.writes() as usize + 1) as u32;
        let mut view = CrashView::new(Arc::clone(&trace), CrashState::prefix(persisted)).unwrap();
        let rebuilt = Image::Bytes(rebuild(&image, &trace, persisted).into());
        let mut disk = RecordingDisk::on(rebuilt, geometry(), 0xff);
        for call in &after {
            prop_assert_eq!(make(&mut view, call), make(&mut disk, call));
        }
        prop_assert_eq!(read_all(&mut view), disk.bytes());
        prop_assert_eq!(view.guard().misuse(), disk.guard().misuse());
    }
}

#[test]
fn refuses_a_state_beyond_the_trace() {
    let trace = record(&Image::Erased, &[Call::Erase(0)]);
    let error = CrashView::new(trace, CrashState::prefix(2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "crash state 2 is not in this trace of 1 writes"
    );
}
