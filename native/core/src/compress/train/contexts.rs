//! Grouping symbols by what follows them, so that each group has codes that suit it.
//!
//! Lloyd's algorithm, where the distance of a symbol from a group is how many bits the group's code takes for what follows
//! the symbol.

/// How often symbols follow symbols: for each, `(next, count)` in the order of `next`.
pub(super) type Followers = Vec<Vec<(u16, u32)>>;

const ROUNDS: usize = 12;

/// The group of each symbol, of at most `groups`; group 0 also has all that were never followed.
pub(super) fn group(followers: &Followers, symbols: usize, groups: usize) -> Vec<u8> {
    let mut of = vec![0u8; followers.len()];
    if groups <= 1 {
        return of;
    }
    let weight = |list: &[(u16, u32)]| list.iter().map(|&(_, count)| u64::from(count)).sum::<u64>();
    let mut order: Vec<usize> = (0..followers.len()).filter(|&s| !followers[s].is_empty()).collect();
    order.sort_by_key(|&s| (std::cmp::Reverse(weight(&followers[s])), s));
    // Seeds: the heaviest symbol first, then, one after another, the symbol that the groups so far suit worst.
    let mut costs: Vec<Vec<f32>> = Vec::new();
    let price_of = |members: &[usize]| -> Vec<f32> {
        let mut counts = vec![0.1f32; symbols];
        for &member in members {
            for &(next, count) in &followers[member] {
                counts[usize::from(next)] += count as f32;
            }
        }
        let total: f32 = counts.iter().sum();
        // No code is longer than a dozen bits or so.
        counts.iter().map(|&count| (total / count).log2().min(13.0)).collect()
    };
    let distance = |list: &[(u16, u32)], prices: &[f32]| -> f32 {
        list.iter().map(|&(next, count)| count as f32 * prices[usize::from(next)]).sum()
    };
    costs.push(price_of(&order));
    let mut cheapest: Vec<f32> = order.iter().map(|&s| distance(&followers[s], &costs[0])).collect();
    while costs.len() < groups {
        let own = |s: usize| distance(&followers[s], &price_of(&[s]));
        let gain = |(i, &s): (usize, &usize)| (cheapest[i] - own(s), i);
        let Some((gain, worst)) =
            order.iter().enumerate().take(400).map(gain).max_by(|a, b| a.0.total_cmp(&b.0))
        else {
            break;
        };
        if gain <= 0.0 {
            break;
        }
        let prices = price_of(&[order[worst]]);
        for (i, &s) in order.iter().enumerate() {
            cheapest[i] = cheapest[i].min(distance(&followers[s], &prices));
        }
        costs.push(prices);
    }
    for _ in 0..ROUNDS {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); costs.len()];
        for &s in &order {
            let nearest = (0..costs.len()).min_by(|&a, &b| {
                distance(&followers[s], &costs[a]).total_cmp(&distance(&followers[s], &costs[b]))
            });
            let group = nearest.unwrap_or(0);
            of[s] = group as u8;
            members[group].push(s);
        }
        costs = members.iter().map(|members| price_of(members)).collect();
    }
    of
}
