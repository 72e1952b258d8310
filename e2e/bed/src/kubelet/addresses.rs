//! Pod addresses: 10.244.0.0 to 10.244.199.255. Each is reused as late as possible.

use std::{collections::BTreeSet, net::Ipv4Addr};

/// Number of third octets for pods. The bed's own addresses are above.
const BLOCKS: u32 = 200;

#[derive(Default)]
pub(super) struct Addresses {
    taken: BTreeSet<Ipv4Addr>,
    next: u32,
}

impl Addresses {
    /// A free address. `None` if all are taken.
    pub(super) fn take(&mut self) -> Option<Ipv4Addr> {
        (0..BLOCKS * 256).find_map(|_| {
            let n = self.next % (BLOCKS * 256);
            self.next = n + 1;
            let [.., third, fourth] = n.to_be_bytes();
            let ip = Ipv4Addr::new(10, 244, third, fourth);
            (!matches!(fourth, 0 | 255) && self.taken.insert(ip)).then_some(ip)
        })
    }

    pub(super) fn give_back(&mut self, ip: Ipv4Addr) {
        self.taken.remove(&ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_used_again_as_late_as_possible() {
        let mut addresses = Addresses::default();
        let first = addresses.take().unwrap();
        addresses.give_back(first);
        let rest: BTreeSet<Ipv4Addr> = std::iter::from_fn(|| addresses.take()).collect();
        assert_eq!(first, Ipv4Addr::new(10, 244, 0, 1));
        assert_eq!(rest.len(), 200 * 254);
        assert_eq!(addresses.take(), None);
    }
}
