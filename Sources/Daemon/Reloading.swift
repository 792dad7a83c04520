internal import Account
package import Foundation
package import Importing
package import Intake
internal import Locking
package import Logging
package import Settings
internal import SystemPackage

/// The configuration while the daemon runs: what it goes by, and how another one takes its place, whole or not at all.
///
/// Only one reload at a time may be under way.
package final class Reloading: Sendable {
    /// What another configuration is applied to.
    package struct Parts: Sendable {
        let read: @Sendable () throws -> Settings
        let environment: [String: String]
        let watches: @Sendable () -> [ImportWatch]
        let folder: @Sendable (WatchSettings, Settings) -> DropFolder
        let close: @Sendable (DropFolder) async -> Void
        let applyAccount: @Sendable (LabelboxSettings) -> Void
        let applyWatches: @Sendable ([ImportWatch], Settings) -> Void
        let setLogLevel: @Sendable (LogLevel) -> Void
        let now: @Sendable () -> Date
        let logger: Logger
        let changed: @Sendable () -> Void

        /// - Parameters:
        ///   - read: Reads and checks the file.
        ///   - environment: Where the key may be.
        ///   - watches: Those of the pipeline, as they are now.
        ///   - folder: Makes the folder of a watch; nothing is opened yet.
        ///   - close: Closes a folder, once nothing of it is in hand.
        ///   - applyAccount: Has requests go by other settings; cannot fail.
        ///   - applyWatches: Has the pipeline go by these watches; cannot fail.
        ///   - setLogLevel: From the next message on.
        ///   - now: The time.
        ///   - logger: For warnings, and for what could not be put back.
        ///   - changed: Told after each reload.
        package init(
            read: @escaping @Sendable () throws -> Settings, environment: [String: String],
            watches: @escaping @Sendable () -> [ImportWatch],
            folder: @escaping @Sendable (WatchSettings, Settings) -> DropFolder,
            close: @escaping @Sendable (DropFolder) async -> Void,
            applyAccount: @escaping @Sendable (LabelboxSettings) -> Void,
            applyWatches: @escaping @Sendable ([ImportWatch], Settings) -> Void,
            setLogLevel: @escaping @Sendable (LogLevel) -> Void, now: @escaping @Sendable () -> Date, logger: Logger,
            changed: @escaping @Sendable () -> Void
        ) {
            self.read = read
            self.environment = environment
            self.watches = watches
            self.folder = folder
            self.close = close
            self.applyAccount = applyAccount
            self.applyWatches = applyWatches
            self.setLogLevel = setLogLevel
            self.now = now
            self.logger = logger
            self.changed = changed
        }
    }

    /// The configuration that holds, and the last one that was refused.
    package struct Standing: Sendable {
        package var settings: Settings
        package var since: Date
        /// Why the configuration that was read last does not hold; `nil` when it does.
        package var refused: (at: Date, reason: String)?
    }

    private let parts: Parts
    private let state: Locked<Standing>

    package init(_ settings: Settings, since: Date, parts: Parts) {
        self.parts = parts
        state = Locked(Standing(settings: settings, since: since))
    }

    package var standing: Standing { state.withLock { $0 } }

    /// Reads the configuration and goes by it, or goes on by the old one.
    package func reload() async -> Result<String, OperatorDesk.Refusal> {
        let verdict: Result<String, OperatorDesk.Refusal>
        do {
            let outcome = try await apply(try parts.read())
            verdict = .success(outcome)
        } catch let refusal as OperatorDesk.Refusal {
            verdict = .failure(refusal)
        } catch {
            verdict = .failure(.init(reason: "\(error)"))
        }
        if case .failure(let refusal) = verdict {
            state.withLock { $0.refused = (parts.now(), refusal.reason) }
        }
        parts.changed()
        return verdict
    }

    private func apply(_ new: Settings) async throws -> String {
        let old = standing.settings
        let fixed = Self.unchangeable(old, new)
        guard fixed.isEmpty else {
            throw OperatorDesk.Refusal(
                reason: fixed.map {
                    "\($0) cannot change while datarowd runs: restart it ('systemctl restart datarowd'; no work is lost)"
                }.joined(separator: "\n"))
        }
        do {
            _ = try APIKey.find(file: new.labelbox.apiKeyFile, environment: parts.environment)
        } catch {
            throw OperatorDesk.Refusal(reason: "\(error)")
        }
        let watches = try await exchange(old, new)
        // From here on nothing can fail.
        parts.applyAccount(new.labelbox)
        parts.setLogLevel(new.log.level)
        parts.applyWatches(watches, new)
        state.withLock { $0 = Standing(settings: new, since: parts.now()) }
        for warning in new.warnings { parts.logger.warning("Configuration", metadata: ["reason": "\(warning)"]) }
        return Self.summary(old, new)
    }

    /// Keys whose change needs another process.
    static func unchangeable(_ old: Settings, _ new: Settings) -> [String] {
        var keys: [String] = []
        if old.stateDirectory != new.stateDirectory { keys.append("state_directory") }
        if old.ledger != new.ledger { keys.append("ledger") }
        if old.http != new.http { keys.append("http") }
        if old.log.format != new.log.format { keys.append("log.format") }
        if old.labelbox.endpoint != new.labelbox.endpoint { keys.append("labelbox.endpoint") }
        if old.labelbox.caFile != new.labelbox.caFile { keys.append("labelbox.ca_file") }
        if old.labelbox.proxy != new.labelbox.proxy { keys.append("labelbox.proxy") }
        return keys
    }

    private static func summary(_ old: Settings, _ new: Settings) -> String {
        if old == new { return "the configuration is as it was" }
        let before = Dictionary(uniqueKeysWithValues: old.watches.map { ($0.name, $0) })
        let after = Dictionary(uniqueKeysWithValues: new.watches.map { ($0.name, $0) })
        let added = after.keys.filter { before[$0] == nil }.sorted()
        let removed = before.keys.filter { after[$0] == nil }.sorted()
        let changed = after.keys.filter { before[$0] != nil && before[$0] != after[$0] }.sorted()
        let parts = [("added", added), ("changed", changed), ("removed", removed)].filter { !$0.1.isEmpty }
            .map { "\($0.1.joined(separator: ", ")) \($0.0)" }
        return parts.isEmpty
            ? "the new configuration holds"
            : "the new configuration holds; watches: "
                + parts.joined(separator: "; ")
    }

    // MARK: Watches

    /// Closes folders that are left out or watched otherwise, and opens those that are new; or leaves all as it was.
    private func exchange(_ old: Settings, _ new: Settings) async throws -> [ImportWatch] {
        let present = Dictionary(uniqueKeysWithValues: parts.watches().map { ($0.name, $0.folder) })
        var folders: [String: DropFolder] = [:]
        for watch in new.watches {
            if let folder = present[watch.name], folder.settings == parts.folder(watch, new).settings {
                folders[watch.name] = folder
            }
        }
        let leaving = present.filter { folders[$0.key] == nil }
        let leavingPaths = Set(leaving.values.map(\.settings.path))
        var opened: [DropFolder] = []
        do {
            // What does not lie where another one does: if that fails, nothing was touched.
            for watch in new.watches where folders[watch.name] == nil && !leavingPaths.contains(watch.path) {
                folders[watch.name] = try await open(watch, new, &opened)
            }
        } catch {
            for folder in opened { await folder.close() }
            throw error
        }
        for folder in leaving.values { await parts.close(folder) }
        do {
            for watch in new.watches where folders[watch.name] == nil {
                folders[watch.name] = try await open(watch, new, &opened)
            }
        } catch {
            for folder in opened { await folder.close() }
            await restore(old, leaving)
            throw error
        }
        return new.watches.compactMap { watch in
            folders[watch.name].map { watch.importWatch($0, submitWith: new.labelbox.handover) }
        }
    }

    private func open(
        _ watch: WatchSettings, _ settings: Settings, _ opened: inout [DropFolder]
    ) async throws -> DropFolder {
        let folder = parts.folder(watch, settings)
        do { try await folder.start() } catch {
            throw OperatorDesk.Refusal(reason: "watch '\(watch.name)': \(error)")
        }
        opened.append(folder)
        return folder
    }

    /// Opens the folders again that were closed for a configuration that does not hold.
    private func restore(_ old: Settings, _ closed: [String: DropFolder]) async {
        var watches: [ImportWatch] = []
        let present = Dictionary(uniqueKeysWithValues: parts.watches().map { ($0.name, $0.folder) })
        for watch in old.watches {
            guard let folder = present[watch.name] else { continue }
            let standing = closed[watch.name] == nil ? folder : parts.folder(watch, old)
            if closed[watch.name] != nil {
                do { try await standing.start() } catch {
                    // It is tried again at each rescan, as one that is missing.
                    parts.logger.error("Watch not opened again", metadata: ["reason": "\(error)"])
                }
            }
            watches.append(watch.importWatch(standing, submitWith: old.labelbox.handover))
        }
        parts.applyWatches(watches, old)
    }
}
