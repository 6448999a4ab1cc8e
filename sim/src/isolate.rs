//! Calls into subjects, with panics and spent budgets turned into values.

use crate::guard::BudgetExhausted;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// Why a call did not return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It panicked: the message, and the place in the source.
    Panicked(String),
    /// It used up its budget of device calls.
    BudgetExhausted,
}

thread_local! {
    static ISOLATED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls `call`; a panic in it prints nothing.
///
/// # Errors
///
/// [`Stopped`] where it did not return.
pub fn isolated<T>(call: impl FnOnce() -> T) -> Result<T, Stopped> {
    silence_isolated_panics();
    let outer = ISOLATED.replace(true);
    // Whoever calls gives up what the call may have left half done.
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    ISOLATED.set(outer);
    outcome.map_err(|payload| {
        if payload.is::<BudgetExhausted>() {
            Stopped::BudgetExhausted
        } else {
            let message = MESSAGE.take();
            Stopped::Panicked(message.unwrap_or_else(|| "unwound without a message".into()))
        }
    })
}

/// Installs, once per process, a hook that keeps the messages of isolated calls and passes all others on.
fn silence_isolated_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if ISOLATED.get() {
                MESSAGE.replace(Some(message(info)));
            } else {
                print(info);
            }
        }));
    });
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a payload that is no text");
    match info.location() {
        Some(place) => format!("{text} ({}:{})", place.file(), place.line()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_panic_from_a_spent_budget() {
        assert_eq!(isolated(|| 7), Ok(7));
        let spent = isolated(|| panic::resume_unwind(Box::new(BudgetExhausted)));
        assert_eq!(spent.map(|never: ()| never), Err(Stopped::BudgetExhausted));
        let panicked = isolated(|| panic!("on {}", "purpose"));
        let Err(Stopped::Panicked(message)) = panicked.map(|never: ()| never) else {
            unreachable!("it panicked");
        };
        assert!(message.starts_with("on purpose ("), "{message}");
        assert!(message.contains("isolate.rs:"), "{message}");
    }
}
