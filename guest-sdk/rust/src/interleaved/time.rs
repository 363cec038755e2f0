//! Waiting for time: [`sleep`], [`timeout`], [`interval`].

use super::waits::Wait;
use crate::bindings::wasmactor::actor::timer as host;
use crate::timer::{milliseconds, now};
use futures_util::future::{Either, select};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Ends when its time is over. Made by [`sleep`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep(Wait);

/// Waits for at least this long. The time runs from the call, not from the first poll.
pub fn sleep(time: Duration) -> Sleep {
    Sleep(Wait::new(host::timeout(milliseconds(time)), |timer| {
        host::cancel(timer);
    }))
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(())
    }
}

/// The time of a [`timeout`] was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl std::fmt::Display for Elapsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it took too long")
    }
}

impl std::error::Error for Elapsed {}

/// Waits for a future, but no longer than `time`; then it is dropped.
pub async fn timeout<T>(time: Duration, future: impl Future<Output = T>) -> Result<T, Elapsed> {
    until(future, sleep(time)).await
}

async fn until<T>(future: impl Future<Output = T>, end: impl Future<Output = ()>) -> Result<T, Elapsed> {
    match select(pin!(future), pin!(end)).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(((), _)) => Err(Elapsed),
    }
}

/// Ticks at a steady pace. Made by [`interval`].
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    next: Duration,
}

/// Ticks every `period`, the first time one period from now.
pub fn interval(period: Duration) -> Interval {
    Interval { period, next: now() + period }
}

impl Interval {
    /// Waits for the next tick. Ticks that were missed come at once, one by one.
    pub async fn tick(&mut self) {
        let left = self.next.saturating_sub(now());
        if !left.is_zero() {
            sleep(left).await;
        }
        // Only now: a tick whose waiting is given up is not lost.
        self.next += self.period;
    }
}

#[cfg(test)]
mod tests {
    use super::{Elapsed, until};
    use futures_util::FutureExt;
    use std::future::{pending, ready};

    #[test]
    fn what_ends_first_wins_and_a_tie_goes_to_the_work() {
        assert_eq!(until(ready(1), pending()).now_or_never(), Some(Ok(1)));
        assert_eq!(until(ready(1), ready(())).now_or_never(), Some(Ok(1)));
        assert_eq!(until(pending::<()>(), ready(())).now_or_never(), Some(Err(Elapsed)));
    }
}
