import Foundation
import LabelboxSimulator
import SystemPackage

/// One run: a daemon, its folder, its server and their troubles, all from one seed.
final class Simulation: @unchecked Sendable {
    // `@unchecked`: only the thread that has the scheduler's baton touches any of it.

    /// What a run came to.
    struct Outcome: Sendable {
        var violations: [String] = []
        var hash: UInt64 = 0
        var steps = 0
        var seconds = 0.0
        var requests = 0
        var submits = 0
        var crashes = 0
        var stops = 0
        var rows = 0
        var manifests = 0
        var faults: [String: Int] = [:]
    }

    private let seed: UInt64
    private let plan: Plan
    private let scheduler: Scheduler
    private let trace: Trace
    private let folders: Folders
    private let farEnd: FarEnd
    private let bug: PlantedBug?
    private var lives: [DaemonLife] = []
    private var current: DaemonLife?
    private var violations: [String] = []
    private var crashes = 0
    private var stops = 0
    /// A life that was told to stop, and has not ended yet.
    private var leaving: DaemonLife?
    /// Drops whose producers are through with them.
    private var dropped: [Int] = []
    /// Of the plan's actions, how many have begun; nothing comes after the last.
    private var begun = 0
    private var openProducers = 0
    private var isDrained = false
    private var isStopping = false
    private var looks = 0

    /// Past the healing, so long may it take until everything is done.
    private static let patience: Int64 = 3 * 3_600 * 1_000_000_000
    /// As long as the daemon gives to what is in hand.
    private static let drainTime = Duration.seconds(20)
    private static let mostSteps = 300_000

    init(seed: UInt64, plan: Plan, bug: PlantedBug? = nil, showsTrace: Bool = false, root: FilePath) {
        self.seed = seed
        self.bug = bug
        self.plan = plan
        let scheduler = Scheduler(seed: seed)
        scheduler.orderly = plan.orderly
        scheduler.inherit(from: Scheduler.current)
        self.scheduler = scheduler
        let trace = Trace(isShown: showsTrace, root: root.string, scheduler: scheduler)
        self.trace = trace
        folders = Folders(root: root, seed: seed, deafness: plan.deafness, scheduler: scheduler, trace: trace)
        farEnd = FarEnd(
            seed: seed, settings: plan.server, folder: root.appending("server").string, scheduler: scheduler,
            trace: trace)
        Scheduler.current = scheduler
    }

    /// Runs it to its end.
    func run() -> Outcome {
        for rule in plan.faults { farEnd.inject(rule) }
        farEnd.weather = plan.weather
        for (at, action) in plan.actions { scheduler.at(at) { self.perform(action) } }
        scheduler.at(plan.healing) {
            self.trace.note("healed")
            self.farEnd.heal()
        }
        begin()
        look()
        loop()
        if violations.isEmpty {
            let oracle = Oracle(plan: plan, folders: folders, farEnd: farEnd, dropped: dropped)
            do { violations += try oracle.judge() } catch { violations.append("the ledger cannot be read: \(error)") }
        }
        if let current {
            if current.hasEnded {
                current.release()
            } else if !current.kill() {
                violate("a life does not end when it is cancelled")
            }
        }
        folders.remove()
        let diskTroubles = lives.reduce(0) { $0 + $1.diskTroubles }
        return Outcome(
            violations: violations, hash: trace.hash, steps: scheduler.steps, seconds: Double(scheduler.now) / 1e9,
            requests: farEnd.requests, submits: farEnd.submits, crashes: crashes,
            stops: stops,
            rows: plan.drops.reduce(0) { $0 + plan.manifests[$1.manifest].rows.count }, manifests: plan.drops.count,
            faults: farEnd.faults.merging(diskTroubles == 0 ? [:] : ["ledger": diskTroubles]) { $1 })
    }

    private func violate(_ text: String) {
        trace.note("violation", text)
        violations.append(text)
    }

    // MARK: Producers

    private func perform(_ action: Plan.Action) {
        begun += 1
        switch action {
        case .drop(let number, let manner):
            openProducers += 1
            let drop = plan.drops[number]
            folders.produce(drop.path, plan.manifests[drop.manifest].bytes, manner) { [self] in
                openProducers -= 1
                dropped.append(number)
            }
        case .media(let path, let manner):
            openProducers += 1
            folders.produce(path, Array("the bytes of \(path)".utf8), manner) { [self] in openProducers -= 1 }
        case .remove(let path): folders.take(away: path)
        }
    }

    // MARK: Lives

    private func begin() {
        do {
            let life = try DaemonLife(
                number: lives.count, plan: plan, seed: seed, bug: bug, scheduler: scheduler, folders: folders,
                farEnd: farEnd,
                trace: trace)
            lives.append(life)
            current = life
            trace.note("life", "\(life.number)")
            life.start()
        } catch {
            violate("the daemon does not start: \(error)")
        }
    }

    private func crash(_ life: DaemonLife, pause: Duration) {
        crashes += 1
        trace.note("crash", "\(life.number)")
        current = nil
        if !life.kill() { violate("a life does not end when it is cancelled") }
        if let bug, violations.isEmpty {
            do { try bug.atCrash(folders) } catch { violate("the planted bug cannot be planted: \(error)") }
        }
        count()
        scheduler.after(pause) { self.begin() }
    }

    /// Tells a life to stop, as SIGTERM does; what has not ended after the time for it is called off.
    private func stop(_ life: DaemonLife) {
        stops += 1
        trace.note("stop", "\(life.number)")
        current = nil
        leaving = life
        life.stop()
        scheduler.after(Self.drainTime) { [self] in
            guard leaving === life else { return }
            life.cancel()
            scheduler.after(.seconds(1)) { [self] in
                if leaving === life { violate("a life does not end when it is told to stop") }
            }
        }
    }

    /// Begins the next life when one that was told to stop has ended.
    private func succeed(_ life: DaemonLife, pause: Duration) {
        trace.note("stopped", "\(life.number)")
        leaving = nil
        life.release()
        count()
        scheduler.after(pause) { self.begin() }
    }

    private func isDue(_ cause: Plan.Ending.Cause, since lifeBegan: Int) -> Bool {
        switch cause {
        case .steps(let steps): scheduler.steps - lifeBegan >= steps
        case .time(let time): scheduler.now >= time
        case .archived:
            folders.files(below: folders.state.appending("archive")).count == plan.drops.count
        }
    }

    /// At every step nothing may be lost: what was dropped waits, is in hand, or was put away.
    private func count() {
        for problem in Oracle.missing(from: folders, plan: plan, dropped: dropped) { violate(problem) }
    }

    private func loop() {
        var lifeBegan = 0
        var life = -1
        while violations.isEmpty, scheduler.steps < Self.mostSteps {
            if let current, current.number != life {
                life = current.number
                lifeBegan = scheduler.steps
            }
            if let leaving, leaving.hasEnded { succeed(leaving, pause: plan.endings[leaving.number].pause) }
            if !isStopping, let current, current.number < plan.endings.count, scheduler.now < plan.healing,
                isDue(plan.endings[current.number].cause, since: lifeBegan)
            {
                let ending = plan.endings[current.number]
                if ending.isStopped { stop(current) } else { crash(current, pause: ending.pause) }
                continue
            }
            if isStopping, current?.hasEnded == true { return }
            if let failure = current?.startFailure { return violate("the daemon does not start: \(failure)") }
            if scheduler.step() { continue }
            if scheduler.now > plan.healing + Self.patience {
                return violate(
                    "not drained \(Self.patience / 1_000_000_000) s after everything was healed; in the folder: "
                        + "\(folders.files(below: folders.drop)); unfinished: "
                        + "\((try? Oracle.unfinished(in: folders)).map { "\($0)" } ?? "the ledger cannot be read")")
            }
            if !scheduler.advance() { return violate("everything sleeps for good") }
        }
        if scheduler.steps >= Self.mostSteps { violate("it goes round in circles: \(scheduler.steps) steps") }
    }

    /// Looks now and then whether anything is left to do, and stops the daemon when nothing is.
    private func look() {
        scheduler.after(.seconds(5)) { [self] in
            guard !isStopping else { return }
            looks += 1
            if looks % 12 == 0, current != nil { count() }
            if begun == plan.actions.count, openProducers == 0, plan.disk.isWell(at: scheduler.now), let current,
                !folders.holdsAnything
            {
                current.unfinished { [self] count in
                    // Its answer may come when that life has ended.
                    if count == 0, !isStopping, self.current === current {
                        isStopping = true
                        trace.note("drained")
                        current.stop()
                    }
                }
            }
            look()
        }
    }
}
