//! Grouping symbols by the symbols that follow them, so that each group has suitable codes.
//!
//! This is Lloyd's algorithm. The distance between a symbol and a group is the number of bits that
//! the group's code takes for the followers of the symbol.

use super::super::memory::try_vec;
use crate::Result;

/// For each symbol, the symbols that follow it and their counts, as `(next, count)` ordered by
/// `next`.
pub(super) type Followers = Vec<Vec<(u16, u32)>>;

const ROUNDS: usize = 12;

/// The number of most frequent symbols that may start a group of their own.
const SEEDS: usize = 400;

/// The prices of followers, in bits, for the group of `members`.
fn price(followers: &Followers, members: &[usize], symbols: usize) -> Result<Vec<f32>> {
    let mut prices = try_vec(symbols, 0.1f32)?;
    for &member in members {
        for &(next, count) in &followers[member] {
            prices[usize::from(next)] += count as f32;
        }
    }
    let total: f32 = prices.iter().sum();
    // No code is longer than about a dozen bits.
    prices.iter_mut().for_each(|price| *price = (total / *price).log2().min(13.0));
    Ok(prices)
}

fn distance(list: &[(u16, u32)], prices: &[f32]) -> f32 {
    list.iter().map(|&(next, count)| count as f32 * prices[usize::from(next)]).sum()
}

/// The price of the followers of a symbol that is alone in its group. The result equals `distance`
/// to its own `price`, without computing the prices of all symbols.
fn alone(list: &[(u16, u32)], symbols: usize) -> f32 {
    let counted: f32 = list.iter().map(|&(_, count)| count as f32).sum();
    let total = counted + 0.1 * symbols as f32;
    list.iter().map(|&(_, count)| count as f32 * (total / (count as f32 + 0.1)).log2().min(13.0)).sum()
}

/// The group of each symbol; at most `groups` groups. Group 0 also contains all symbols without
/// followers.
pub(super) fn group(followers: &Followers, symbols: usize, groups: usize) -> Result<Vec<u8>> {
    let mut of = try_vec(followers.len(), 0u8)?;
    if groups <= 1 {
        return Ok(of);
    }
    let weight = |list: &[(u16, u32)]| list.iter().map(|&(_, count)| u64::from(count)).sum::<u64>();
    let mut order: Vec<usize> = Vec::new();
    order.try_reserve_exact(followers.len())?;
    order.extend((0..followers.len()).filter(|&s| !followers[s].is_empty()));
    order.sort_unstable_by_key(|&s| (std::cmp::Reverse(weight(&followers[s])), s));
    // Seeds: first one group of all symbols; then, repeatedly, the symbol that the existing groups
    // suit worst.
    let mut costs: Vec<Vec<f32>> = Vec::new();
    costs.try_reserve_exact(groups)?;
    costs.push(price(followers, &order, symbols)?);
    let mut cheapest = try_vec(order.len(), 0f32)?;
    let mut own = try_vec(order.len().min(SEEDS), 0f32)?;
    for (slot, &s) in cheapest.iter_mut().zip(&order) {
        *slot = distance(&followers[s], &costs[0]);
    }
    for (slot, &s) in own.iter_mut().zip(&order) {
        *slot = alone(&followers[s], symbols);
    }
    while costs.len() < groups {
        let gains = cheapest.iter().zip(&own).map(|(cheapest, own)| cheapest - own).zip(0..);
        let Some((gain, worst)) = gains.max_by(|a: &(f32, usize), b| a.0.total_cmp(&b.0)) else { break };
        if gain <= 0.0 {
            break;
        }
        let prices = price(followers, &order[worst..=worst], symbols)?;
        for (slot, &s) in cheapest.iter_mut().zip(&order) {
            *slot = slot.min(distance(&followers[s], &prices));
        }
        costs.push(prices);
    }
    let mut members: Vec<Vec<usize>> = Vec::new();
    members.try_reserve_exact(costs.len())?;
    members.resize_with(costs.len(), Vec::new);
    for _ in 0..ROUNDS {
        members.iter_mut().for_each(Vec::clear);
        for &s in &order {
            let list = &followers[s];
            let far = costs.iter().map(|prices| distance(list, prices)).zip(0..);
            let nearest: Option<(f32, usize)> = far.min_by(|a, b| a.0.total_cmp(&b.0));
            let group = nearest.map_or(0, |(_, group)| group);
            of[s] = group as u8;
            members[group].try_reserve(1)?;
            members[group].push(s);
        }
        for (prices, members) in costs.iter_mut().zip(&members) {
            *prices = price(followers, members, symbols)?;
        }
    }
    Ok(of)
}
