package tsretry;

import java.util.ArrayList;
import java.util.List;

/** One version of a model as the frontend has it at this moment. */
final class SeenModel {
    final String name;
    final String version;
    final int minWorkers;
    /** Whether TorchServe's own /ping would find it well: as many healthy workers as it should have. */
    final boolean isHealthy;
    final List<Worker> workers = new ArrayList<>();

    SeenModel(String name, String version, int minWorkers, boolean isHealthy) {
        this.name = name;
        this.version = version;
        this.minWorkers = minWorkers;
        this.isHealthy = isHealthy;
    }

    /** One worker: its number, its process id, whether it has answered LOAD with 200, or has failed. */
    static final class Worker {
        final String id;
        final int pid;
        final boolean isReady;
        final boolean hasFailed;

        Worker(String id, int pid, boolean isReady, boolean hasFailed) {
            this.id = id;
            this.pid = pid;
            this.isReady = isReady;
            this.hasFailed = hasFailed;
        }

        boolean listensAt(String socket) {
            return socket.endsWith("." + id) || socket.endsWith(":" + id);
        }
    }
}
