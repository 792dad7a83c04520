internal import Files
public import Intake
public import Settings
public import SystemPackage

/// Where the daemon's configuration and state are.
public struct Place: Sendable {
    /// Where the package puts the configuration.
    public static let usualConfiguration = "/etc/datarowd/datarowd.yaml"

    private let configuration: FilePath
    private let stateOverride: FilePath?

    /// - Parameters:
    ///   - configuration: The file.
    ///   - state: Takes the place of the configuration's state directory.
    public init(configuration: String, state: String?) {
        self.configuration = FilePath(configuration)
        stateOverride = state.map { FilePath($0) }
    }

    /// Reads the configuration.
    public func settings() throws(ControlError) -> Settings {
        do throws(SettingsError) { return try Settings.load(configuration) } catch {
            throw ControlError(settings: error)
        }
    }

    /// Reads the configuration; `nil` where there is none in the usual place, and none was asked for.
    public func settingsIfAny() throws(ControlError) -> Settings? {
        do throws(SettingsError) { return try Settings.load(configuration) } catch {
            guard configuration == FilePath(Self.usualConfiguration),
                error.problems.allSatisfy({ $0.code == .unreadable })
            else { throw ControlError(settings: error) }
            return nil
        }
    }

    /// The state directory; the configuration is only read where it was not given.
    public func stateDirectory() throws(ControlError) -> FilePath {
        if let stateOverride { return stateOverride }
        return try settings().stateDirectory
    }

    /// Opens the state of the daemon that something is to be asked of, also where the configuration is wrong: it may be
    /// just that which the daemon is to look at.
    ///
    /// - Parameter environment: Of the process; systemd names the state directory in it to what it starts for a service.
    /// - Returns: The state.
    /// - Throws: Why it cannot be found or opened.
    public func openStateToAsk(environment: [String: String]) throws(ControlError) -> StateFolder {
        if let stateOverride { return try StateFolder.open(stateOverride) }
        if let name = environment["STATE_DIRECTORY"], name.hasPrefix("/"), !name.contains(":") {
            return try StateFolder.open(FilePath(name))
        }
        do { return try openState() } catch {
            guard error.status == .configuration, let named = Settings.stateDirectory(namedIn: configuration) else {
                throw error
            }
            return try StateFolder.open(named)
        }
    }

    /// Opens the state.
    public func openState() throws(ControlError) -> StateFolder { try StateFolder.open(try stateDirectory()) }

    /// The watch of a name.
    public func watch(_ name: String) throws(ControlError) -> WatchSettings {
        let watches = try settings().watches
        guard let watch = watches.first(where: { $0.name == name }) else {
            throw ControlError(
                VisibleText.of(name), why: "\(configuration) has no watch of this name",
                hint: "name one of \(watches.map(\.name).joined(separator: ", "))", status: .usage)
        }
        return watch
    }

    /// The rules by which names are judged in each watch.
    public func explanations() throws(ControlError) -> [Explanation.Watch] {
        let settings = try settings()
        return settings.watches.map {
            Explanation.Watch(
                name: $0.name, path: $0.path, rules: Self.rules(of: $0, state: settings.stateDirectory),
                mediaRoots: $0.mediaRoots)
        }
    }

    /// The rules by which names are judged in a watch.
    public static func rules(of watch: WatchSettings, state: FilePath) -> FileRules {
        var settings = DropFolderSettings(name: watch.name, path: watch.path, stateDirectory: state)
        settings.recursive = watch.recursive
        settings.ignore = watch.ignore.map { Glob($0) }
        settings.manifests = watch.manifests.map { Glob($0) }
        settings.media = watch.mediaRules
        settings.looseMedia = watch.looseMedia == .import ? .import : .ignore
        return FileRules(settings)
    }
}

extension ControlError {
    /// A configuration that is not valid; one line for each problem.
    public init(settings error: SettingsError) {
        let isUnreadable = error.problems.allSatisfy { $0.code == .unreadable }
        self.init(
            error.description, why: "",
            hint: isUnreadable ? "give the right file with --config" : "", status: .configuration)
    }
}
