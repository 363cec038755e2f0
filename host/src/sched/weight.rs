//! How much of a mailbox one turn of the run queue takes: skynet's weights. Used by the workers.
//!
//! Source: skynet_start.c, `weight[]`, and skynet_server.c, `skynet_context_message_dispatch`.

/// The weight of a worker: -1 takes one message, w takes `length >> w`.
pub fn of_worker(index: usize) -> i32 {
    match index {
        0..=3 => -1,
        4..=7 => 0,
        8..=15 => 1,
        16..=23 => 2,
        24..=31 => 3,
        _ => 0,
    }
}

/// Messages to take from a mailbox that holds `length`: at least one.
pub fn batch(weight: i32, length: usize) -> usize {
    match u32::try_from(weight) {
        Ok(shift) => (length >> shift).max(1),
        Err(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{batch, of_worker};

    #[test]
    fn table_is_skynets() {
        let weights: Vec<i32> = [0, 3, 4, 7, 8, 15, 16, 23, 24, 31, 32, 99].map(of_worker).to_vec();
        assert_eq!(weights, [-1, -1, 0, 0, 1, 1, 2, 2, 3, 3, 0, 0]);
    }

    #[test]
    fn batch_is_a_share() {
        assert_eq!([batch(-1, 100), batch(0, 100), batch(1, 100), batch(3, 100), batch(3, 1)], [1, 100, 50, 12, 1]);
    }
}
