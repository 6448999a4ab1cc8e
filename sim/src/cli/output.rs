use std::io::{self, ErrorKind, Write};

/// A writer that outlives its reader: once the other end of the pipe has gone, the rest is dropped in silence.
///
/// A command so finishes its work and keeps its exit code when it is piped into `head`.
#[derive(Debug)]
pub(super) struct Output<W> {
    reader: Option<W>,
}

impl<W: Write> Output<W> {
    /// Writes to `inner` for as long as somebody reads there.
    pub(super) fn new(inner: W) -> Self {
        Self {
            reader: Some(inner),
        }
    }

    fn attempt<T>(
        &mut self,
        dropped: T,
        call: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(reader) = &mut self.reader else {
            return Ok(dropped);
        };
        match call(reader) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.reader = None;
                Ok(dropped)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(bytes.len(), |reader| reader.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt((), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer whose every call ends in `kind`.
    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn drops_what_nobody_reads_and_reports_the_rest() {
        let mut gone = Output::new(Failing(ErrorKind::BrokenPipe));
        gone.write_all(b"first").unwrap();
        gone.write_all(b"second").unwrap();
        gone.flush().unwrap();

        let mut full = Output::new(Failing(ErrorKind::StorageFull));
        assert_eq!(full.write(b"x").unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
