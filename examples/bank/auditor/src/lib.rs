//! The auditor: asks everybody and compares.

use bank_books::{Entry, Journal, Report, Statement, ToAccount, ToAuditor, ToLedger, TransferId};
use std::rc::Rc;
use std::time::Duration;
use wasmactor_sdk::interleaved::{AsyncActor, sleep};
use wasmactor_sdk::{Address, Error, Reply, Result, Sender, async_actor, error, info, reply};

/// How often, and how long between, an account is asked while it has a hold: holds lapse by themselves.
const PATIENCE: (u32, Duration) = (40, Duration::from_millis(100));

struct Auditor;

/// The account's statement, as soon as it holds nothing.
async fn statement(account: Address) -> Result<Statement, Error> {
    let (times, pause) = PATIENCE;
    let mut statement: Statement = account.ask(&ToAccount::Statement).await?;
    for _ in 0..times {
        if statement.held == 0 {
            break;
        }
        sleep(pause).await;
        statement = account.ask(&ToAccount::Statement).await?;
    }
    Ok(statement)
}

async fn audit(
    ledger: Option<Address>,
    accounts: &[(String, Address)],
    total: u64,
    promised: &[TransferId],
) -> Result<Report, Error> {
    let mut report = Report { living: 0, estates: 0, dead: 0, faults: Vec::new() };
    let mut statements = Vec::new();
    for (name, account) in accounts {
        let statement = statement(*account).await?;
        if statement.held > 0 {
            report.faults.push(format!("{name} still holds {}", statement.held));
        }
        report.living += statement.balance + statement.held;
        statements.push((name, statement));
    }
    if let Some(ledger) = ledger {
        let entries: Vec<Entry> = ledger.ask(&ToLedger::Journal).await?;
        let mut balances = Journal::balances(&entries);
        for (name, statement) in statements {
            let balance = balances.remove(name).unwrap_or(0);
            if balance != statement.balance {
                report.faults.push(format!("{name} has {}, the ledger says {balance}", statement.balance));
            }
        }
        report.dead = balances.len();
        report.estates = balances.values().sum();
        for id in promised {
            if !entries.iter().any(|entry| entry.id == *id) {
                report.faults.push(format!("transfer {id} was promised and is not in the ledger"));
            }
        }
    }
    let sum = report.living + report.estates;
    if sum != total {
        report.faults.push(format!("{sum} are there, {total} were paid in"));
    }
    Ok(report)
}

impl AsyncActor for Auditor {
    type Args = ();
    type Message = ToAuditor;

    fn init((): ()) -> Result<Self> {
        Ok(Self)
    }

    async fn handle(self: Rc<Self>, message: ToAuditor, _from: Sender) -> Result<Reply> {
        let ToAuditor::Audit { ledger, accounts, total, promised } = message;
        let report = audit(ledger, &accounts, total, &promised).await?;
        for fault in &report.faults {
            error!("{fault}");
        }
        if report.faults.is_empty() {
            let dead = if report.dead == 0 { String::new() } else { format!(" and {} estate", report.dead) };
            let books = if ledger.is_some() { "every book agrees" } else { "no ledger to compare" };
            info!("{} in {} accounts{dead}, nothing held, {books}", report.living + report.estates, accounts.len());
        }
        reply(report)
    }
}

async_actor!(Auditor);
