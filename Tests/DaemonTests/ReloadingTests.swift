import Daemon
import DataRows
import Foundation
import Importing
import Intake
import Locking
import Logging
import Settings
import SystemPackage
import TestSupport
import Testing

/// Another configuration takes the place of the one that holds, whole or not at all.
@Suite("Reloading", .timeLimit(.minutes(1)))
struct ReloadingTests {
    /// Real folders, and a pipeline that only notes what it is told.
    private final class Fixture: Sendable {
        let root: TemporaryFolder
        let next: Locked<Result<Settings, any Error>>
        let watches = Locked<[ImportWatch]>([])
        let accounts = Locked<[LabelboxSettings]>([])
        let levels = Locked<[LogLevel]>([])
        let closed = Locked<[String]>([])
        let changes = Locked(0)
        let first: Settings

        init(_ names: String...) throws {
            let root = try TemporaryFolder()
            self.root = root
            try root.write("key", to: "key")
            for name in ["a", "b", "c"] { try root.makeFolder(FilePath(name)) }
            first = try Self.settings(root.path, names)
            next = Locked(.success(first))
        }

        /// Watches by names that say where each lies: `cats@a`.
        static func settings(_ root: FilePath, _ names: [String], _ lines: String = "") throws -> Settings {
            var text = "labelbox: { api_key_file: \(root)/key }\nstate_directory: \(root)/state\n\(lines)watches:\n"
            for name in names {
                let words = name.split(separator: "@")
                text += "  - { name: \(words[0]), path: \(root)/\(words[1]), dataset: cmdset0000000000000000001 }\n"
            }
            return try Settings.parse(text, file: "test")
        }

        func folder(_ watch: WatchSettings) -> DropFolder {
            var settings = DropFolderSettings(
                name: watch.name, path: watch.path, stateDirectory: root.path.appending("state"))
            settings.settle = watch.settle
            return DropFolder(settings, clock: ContinuousClock(), wallClock: { Date() }, logger: Logger(label: "test"))
        }

        func reloading() async throws -> Reloading {
            for watch in first.watches {
                let folder = folder(watch)
                try await folder.start()
                watches.withLock { $0.append(Self.importWatch(folder)) }
            }
            return Reloading(
                first, since: Date(timeIntervalSince1970: 0),
                parts: .init(
                    read: { try self.next.withLock { $0 }.get() }, environment: [:],
                    watches: { self.watches.withLock { $0 } }, folder: { watch, _ in self.folder(watch) },
                    close: { folder in
                        self.closed.withLock { $0.append(folder.settings.name) }
                        await folder.close()
                    },
                    applyAccount: { settings in self.accounts.withLock { $0.append(settings) } },
                    applyWatches: { watches, _ in self.watches.withLock { $0 = watches } },
                    setLogLevel: { level in self.levels.withLock { $0.append(level) } },
                    now: { Date(timeIntervalSince1970: 100) }, logger: Logger(label: "test"),
                    changed: { self.changes.withLock { $0 += 1 } }))
        }

        static func importWatch(_ folder: DropFolder) -> ImportWatch {
            ImportWatch(
                folder: folder, datasetID: nil, operations: [.create], policy: RowPolicy(), invalidRows: .skip,
                maximumRowsPerTask: 1, deletesPerRequest: 1, linger: .zero, maximumManifestBytes: 1, mediaURLAge: .zero)
        }

        func give(_ settings: Settings) { next.withLock { $0 = .success(settings) } }

        var names: [String] { watches.withLock { $0.map(\.name) } }

        func folder(named name: String) -> DropFolder? { watches.withLock { $0.first { $0.name == name }?.folder } }

        /// The folders that somebody holds: a second one is refused there.
        func held() async throws -> [String] {
            var held: [String] = []
            for name in ["a", "b", "c"] {
                let other = DropFolder(
                    DropFolderSettings(
                        name: "other", path: root.path.appending(name), stateDirectory: root.path.appending("other")),
                    clock: ContinuousClock(), wallClock: { Date() }, logger: Logger(label: "test"))
                do { try await other.start() } catch {
                    held.append(name)
                    continue
                }
                await other.close()
            }
            return held
        }

        /// Nothing is otherwise than before.
        func expectUntouched(_ names: [String], sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(self.names == names, sourceLocation: sourceLocation)
            #expect(accounts.withLock { $0.isEmpty } && levels.withLock { $0.isEmpty }, sourceLocation: sourceLocation)
        }
    }

    private func reason(_ verdict: Result<String, OperatorDesk.Refusal>) throws -> String {
        guard case .failure(let refusal) = verdict else {
            Issue.record("it was taken: \(verdict)")
            return ""
        }
        return refusal.reason
    }

    @Test("watches are added, kept, changed and left out; those that stay keep their folder")
    func exchanged() async throws {
        let fixture = try Fixture("cats@a", "dogs@b")
        let reloading = try await fixture.reloading()
        let cats = try #require(fixture.folder(named: "cats"))
        var new = try Fixture.settings(fixture.root.path, ["cats@a", "birds@c"], "log: { level: debug }\n")
        fixture.give(new)
        #expect(try await reloading.reload().get() == "the new configuration holds; watches: birds added; dogs removed")
        #expect(fixture.names == ["cats", "birds"] && fixture.folder(named: "cats") === cats)
        #expect(fixture.closed.withLock { $0 } == ["dogs"])
        #expect(try await fixture.held() == ["a", "c"])
        #expect(fixture.levels.withLock { $0 } == [.debug] && fixture.accounts.withLock { $0.count } == 1)
        #expect(reloading.standing.settings == new && reloading.standing.refused == nil)
        #expect(reloading.standing.since == Date(timeIntervalSince1970: 100))

        new.watches[0].settle = .seconds(9)
        fixture.give(new)
        #expect(try await reloading.reload().get() == "the new configuration holds; watches: cats changed")
        #expect(fixture.folder(named: "cats") !== cats)
        #expect(try await fixture.held() == ["a", "c"])
        #expect(try await reloading.reload().get() == "the configuration is as it was")
        #expect(fixture.changes.withLock { $0 } == 3)
    }

    @Test("what needs another process is refused, each key by its name, and all holds on")
    func unchangeable() async throws {
        let fixture = try Fixture("cats@a")
        let reloading = try await fixture.reloading()
        var new = try Fixture.settings(fixture.root.path, ["cats@a", "dogs@b"])
        new.stateDirectory = "/elsewhere"
        new.labelbox.endpoint = "https://elsewhere.example/graphql"
        new.labelbox.proxy = "http://proxy.example"
        fixture.give(new)
        let lines = try reason(await reloading.reload()).split(separator: "\n").map(String.init)
        #expect(lines.map { $0.prefix { $0 != " " } } == ["state_directory", "labelbox.endpoint", "labelbox.proxy"])
        #expect(lines.allSatisfy { $0.contains("systemctl restart datarowd") })
        fixture.expectUntouched(["cats"])
        let refused = try #require(reloading.standing.refused)
        #expect(refused.at == Date(timeIntervalSince1970: 100) && refused.reason.contains("state_directory"))
        #expect(reloading.standing.settings == fixture.first)
        #expect(reloading.standing.since == Date(timeIntervalSince1970: 0))
    }

    @Test("a file that is wrong and a key that is not there are refused, and forgotten once a right one holds")
    func refused() async throws {
        let fixture = try Fixture("cats@a")
        let reloading = try await fixture.reloading()
        do {
            _ = try Settings.parse("wathces: []", file: "datarowd.yaml")
        } catch {
            fixture.next.withLock { $0 = .failure(error) }
        }
        #expect(try reason(await reloading.reload()).contains("datarowd.yaml:1:1: wathces"))
        var new = fixture.first
        new.labelbox.apiKeyFile = fixture.root.path.appending("no-key")
        fixture.give(new)
        #expect(try reason(await reloading.reload()).contains("no-key"))
        fixture.expectUntouched(["cats"])
        fixture.give(fixture.first)
        _ = try await reloading.reload().get()
        #expect(reloading.standing.refused == nil)
    }

    @Test("where one new folder cannot be had, none is opened and none closed")
    func taken() async throws {
        let fixture = try Fixture("cats@a")
        let reloading = try await fixture.reloading()
        let cats = try #require(fixture.folder(named: "cats"))
        let holder = fixture.folder(try #require(Fixture.settings(fixture.root.path, ["holder@c"]).watches.first))
        try await holder.start()
        fixture.give(try Fixture.settings(fixture.root.path, ["dogs@b", "birds@c"]))
        #expect(try reason(await reloading.reload()).hasPrefix("watch 'birds': "))
        fixture.expectUntouched(["cats"])
        #expect(fixture.folder(named: "cats") === cats && fixture.closed.withLock { $0 } == [])
        #expect(try await fixture.held() == ["a", "c"], "the last by its holder")
        await holder.close()
    }

    @Test("where a folder cannot be had in the place of one that was closed, that one is opened again")
    func restored() async throws {
        let fixture = try Fixture("cats@a", "dogs@b")
        let reloading = try await fixture.reloading()
        let dogs = try #require(fixture.folder(named: "dogs"))
        var new = try Fixture.settings(fixture.root.path, ["dogs@b", "birds@c", "mice@a"])
        // The second of two in one place is refused when the first is open, and the one that was there is closed by then.
        new.watches[1].path = new.watches[2].path
        fixture.give(new)
        #expect(try reason(await reloading.reload()).hasPrefix("watch 'mice': "))
        #expect(fixture.names == ["cats", "dogs"] && fixture.folder(named: "dogs") === dogs)
        #expect(fixture.closed.withLock { $0 } == ["cats"])
        #expect(try await fixture.held() == ["a", "b"])
        #expect(reloading.standing.settings == fixture.first && fixture.accounts.withLock { $0.isEmpty })
    }
}
