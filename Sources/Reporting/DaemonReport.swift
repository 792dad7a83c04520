public import Foundation
public import Ledger
public import SystemPackage

/// What the daemon is at: the content of `status/datarowd.json`.
///
/// See `docs/schemas/daemon-status.schema.json`.
public struct DaemonReport: Sendable, Hashable {
    /// Written in each file, so that a reader knows what it reads.
    public static let schema = "datarowd.daemon/1"

    /// What has been unfinished for the longest time.
    public struct Oldest: Sendable, Hashable {
        public var path: FilePath
        public var since: Date

        public init(path: FilePath, since: Date) {
            self.path = path
            self.since = since
        }
    }

    public var snapshot: DaemonSnapshot
    public var totals: LedgerTotals
    /// By watch: the oldest unfinished import in the ledger.
    public var oldest: [String: Oldest]
    public var updatedAt: Date

    public init(_ snapshot: DaemonSnapshot, totals: LedgerTotals, oldest: [String: Oldest], at now: Date) {
        self.snapshot = snapshot
        self.totals = totals
        self.oldest = oldest
        updatedAt = now
    }

    /// How many imports and files have not ended.
    public var unfinished: Int {
        let imports = totals.imports.values.reduce(0) { $0 + $1.reduce(0) { $0 + ($1.key.isFinal ? 0 : $1.value) } }
        return snapshot.watches.reduce(imports) { $0 + $1.settlingCount }
    }

    /// Since when the oldest of them is there.
    public var oldestOfAll: Date? { snapshot.watches.compactMap { oldestUnfinished($0)?.since }.min() }

    /// The oldest unfinished file of a watch, claimed or not: the one figure to alarm on.
    func oldestUnfinished(_ watch: WatchSnapshot) -> Oldest? {
        let settling = watch.settling.min { $0.since < $1.since }.map { Oldest(path: $0.path, since: $0.since) }
        return [settling, oldest[watch.name]].compactMap { $0 }.min { $0.since < $1.since }
    }
}

extension DaemonReport: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("schema", Self.schema)
            json.member("version", snapshot.version)
            json.member("pid", snapshot.pid)
            json.member("state", snapshot.state.rawValue)
            json.member("state_reason", snapshot.reason)
            json.member("started_at", snapshot.startedAt)
            json.member("updated_at", updatedAt)
            json.member("pauses") { json in
                json.array(snapshot.pauses) { json, pause in
                    json.object { json in
                        json.member("watch", pause.watch)
                        json.member("by", pause.by)
                        json.member("uid", pause.uid)
                        json.member("since", pause.since)
                    }
                }
            }
            json.member("configuration") { json in
                json.object { json in
                    json.member("applied_at", snapshot.configuration.appliedAt)
                    json.member("refused") { json in write(snapshot.configuration.refused, to: &json) }
                }
            }
            json.member("watches") { json in json.array(snapshot.watches) { write($1, to: &$0) } }
            json.member("rate_budget") { json in
                json.object { json in
                    json.member("requests_per_minute", snapshot.budget.requestsPerMinute)
                    json.member("used", snapshot.budget.used)
                    json.member("paused_until", snapshot.budget.pausedUntil)
                }
            }
            json.member("concurrency") { json in
                json.object { json in
                    json.member("in_flight", snapshot.concurrency.inFlight)
                    json.member("limit", snapshot.concurrency.limit)
                    json.member("maximum", snapshot.concurrency.maximum)
                }
            }
            json.member("breaker") { json in
                json.object { json in
                    json.member("state", snapshot.breaker.state.rawValue)
                    json.member("next_probe", snapshot.breaker.nextProbe)
                }
            }
            json.member("queues") { json in
                json.object { json in for queue in queues { json.member(queue.name, queue.depth) } }
            }
            json.member("totals", sum)
            json.member("last_error") { json in write(snapshot.lastError, to: &json) }
        }
    }

    private func write(_ trouble: DaemonSnapshot.Trouble?, to json: inout JSONWriter) {
        guard let trouble else { return json.raw("null".utf8) }
        json.object { json in
            json.member("at", trouble.at)
            json.member("message", trouble.message)
        }
    }

    private func write(_ watch: WatchSnapshot, to json: inout JSONWriter) {
        json.object { json in
            json.member("name", watch.name)
            json.member("path", watch.path)
            json.member("mode", watch.mode.rawValue)
            json.member("mode_reason", watch.reason)
            json.member("media_wait_seconds", watch.mediaWait)
            json.member("imports") { json in
                json.object { json in
                    for state in ImportState.allCases where state != .settling {
                        json.member(state.rawValue, totals.imports[watch.name]?[state] ?? 0)
                    }
                }
            }
            json.member("rows", totals.rows[watch.name] ?? RowCounts())
            json.member("warnings_total", totals.warnings[watch.name] ?? 0)
            json.member("oldest_unfinished") { json in
                guard let oldest = oldestUnfinished(watch) else { return json.raw("null".utf8) }
                json.object { json in
                    json.member("path", oldest.path)
                    json.member("since", oldest.since)
                    json.member("age_seconds", Int(max(0, updatedAt.timeIntervalSince(oldest.since))))
                }
            }
            json.member("settling", watch.settlingCount)
            json.member("settling_files") { json in
                json.array(watch.settling.prefix(WatchSnapshot.mostSettling)) { write($1, to: &$0) }
            }
        }
    }

    private func write(_ file: SettlingFile, to json: inout JSONWriter) {
        json.object { json in
            json.member("path", file.path)
            json.member("bytes", file.bytes)
            json.member("since", file.since)
            json.member("reason", file.reason)
            json.member("next_look", file.nextLook)
            json.member("is_manifest", file.isManifest)
        }
    }

    /// How much waits where.
    var queues: [(name: String, depth: Int)] {
        [("segments_ready", totals.readySegments)]
            + [SubmissionPhase.sealed, .submitting, .ambiguous, .submitted, .collecting].map {
                ("submissions_\($0.rawValue)", totals.submissions[$0] ?? 0)
            }
            + [MediaPhase.awaited, .pending, .leaving].map { ("media_\($0.rawValue)", totals.media[$0] ?? 0) }
    }

    /// Rows of all imports of all watches, those that are no longer configured too.
    private var sum: RowCounts {
        totals.rows.values.reduce(into: RowCounts()) { sum, rows in
            sum.total += rows.total
            sum.rejected += rows.rejected
            sum.submitted += rows.submitted
            sum.created += rows.created
            sum.updated += rows.updated
            sum.alreadyPresent += rows.alreadyPresent
            sum.failed += rows.failed
            sum.deleted += rows.deleted
        }
    }
}
