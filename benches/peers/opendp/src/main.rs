//! Randomized response of the opendp crate over the peers' data; one line of JSON for each domain size.
//!
//! Arguments: ε, reports, then domain sizes. Its generator is timed with it. It has no decoder, so reports are
//! tallied here.

use std::collections::HashSet;
use std::env;
use std::hint::black_box;
use std::time::Instant;

use opendp::error::Fallible;
use opendp::measurements::make_randomized_response;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse::<f64>().expect("a number");
    let (epsilon, reports) = (number(0), number(1) as usize);
    for k in (2..arguments.len()).map(|at| number(at) as usize) {
        let p = epsilon.exp() / (epsilon.exp() + k as f64 - 1.0);
        let response = make_randomized_response((0..k as u32).collect::<HashSet<_>>(), p)?;
        let symbols = zipf(k, reports);

        let began = Instant::now();
        let sent = symbols.iter().map(|symbol| response.invoke(symbol)).collect::<Fallible<Vec<u32>>>()?;
        let client = began.elapsed();

        let began = Instant::now();
        let mut counts = vec![0_u64; k];
        black_box(&sent).iter().for_each(|symbol| counts[*symbol as usize] += 1);
        let server = began.elapsed();

        let (n, q) = (reports as f64, (1.0 - p) / (k as f64 - 1.0));
        let error: f64 = (0..k)
            .map(|v| {
                let share = symbols.iter().filter(|symbol| **symbol == v as u32).count() as f64 / n;
                ((counts[v] as f64 / n - q) / (p - q) - share).powi(2)
            })
            .sum();
        println!(
            "{{\"peer\":\"opendp 0.16.0\",\"mechanism\":\"k-ary\",\"k\":{k},\"reports\":{reports},\
             \"client_us\":{},\"server_us\":{},\"n_var\":{}}}",
            client.as_secs_f64() * 1e6 / n,
            server.as_secs_f64() * 1e6 / n,
            n * error / k as f64,
        );
    }
    Ok(())
}

/// True symbols with Zipf(1.1) shares, as many of each as rounding allows.
fn zipf(k: usize, reports: usize) -> Vec<u32> {
    let weights: Vec<f64> = (1..=k).map(|rank| (rank as f64).powf(-1.1)).collect();
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    let mut symbols = Vec::with_capacity(reports);
    for (symbol, weight) in weights.iter().enumerate() {
        sum += weight;
        symbols.resize((sum / total * reports as f64).round() as usize, symbol as u32);
    }
    symbols
}
