// How sure a number of kills makes.

/**
 * The largest share of losses that `lost` of `kills` leaves possible, at 95 % confidence (Clopper and Pearson 1934, one-sided): the share at which so few
 * losses would be seen one time in twenty. Without any loss it is 1 − 0.05^(1/kills), about 3 / kills.
 */
export function largestShare(lost, kills) {
  if (kills === 0 || lost >= kills) return 1;
  let [low, high] = [0, 1];
  for (let step = 0; step < 100; step += 1) {
    const middle = (low + high) / 2;
    if (atMost(lost, kills, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** Probability of at most `most` losses. */
function atMost(most, kills, share) {
  let [term, sum] = [kills * Math.log1p(-share), 0];
  for (let losses = 0; losses <= most; losses += 1) {
    sum += Math.exp(term);
    term += Math.log((kills - losses) / (losses + 1)) + Math.log(share) - Math.log1p(-share);
  }
  return sum;
}
