import NIOCore

/// Runs the task of a connection on the connection's own event loop, so that a message on its way to the desk and its answer on the way
/// back change threads no more often than they must.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
