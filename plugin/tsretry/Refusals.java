package tsretry;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.spi.LoggerContext;
import org.pytorch.serve.ModelServer;
import org.pytorch.serve.snapshot.SnapshotManager;

/**
 * Why TorchServe made no model, or one without workers, of an archive that it was started with.
 *
 * <p>It says so once, in a warning with the exception (0.12.0 ModelServer.initModelStore), and goes on. Of a
 * snapshot, it restores no further model, and says why without saying of which one (SnapshotManager.initModels).
 * Plug-ins are made before that. Where the log's level leaves warnings out, no cause is known.
 */
final class Refusals extends AbstractAppender {
    /** Stands for the archive of every model of a snapshot. */
    static final String SNAPSHOT = "";

    private static final String TOLD = "Failed to load model: ";
    private static final Pattern RESTORE_TOLD =
            Pattern.compile("(?s)Error while (?:retrieving snapshot details|registering model)\\. Details: (.*)");
    private static final Pattern URL = Pattern.compile("(\\w+://)(?:[^/@\\s]*@)?([^/?\\s]*)\\S*");
    private static final Map<String, String> CAUSES = new ConcurrentHashMap<>();

    private Refusals() {
        super("ts-retry-refusals", null, null, true, Property.EMPTY_ARRAY);
    }

    /**
     * Starts to listen to what TorchServe logs.
     *
     * <p>Its jar lacks the classes by which log4j tells who calls, so that its loggers lie in the current context;
     * with them, they lie in that of its class loader.
     */
    static void listen() {
        try {
            Refusals refusals = new Refusals();
            refusals.start();
            ClassLoader loader = ModelServer.class.getClassLoader();
            for (LoggerContext context : List.of(LogManager.getContext(true), LogManager.getContext(loader, false))) {
                ((Logger) context.getLogger(ModelServer.class.getName())).addAppender(refusals);
                ((Logger) context.getLogger(SnapshotManager.class.getName())).addAppender(refusals);
            }
        } catch (RuntimeException | LinkageError otherLogging) {
            return; // Then no cause is known.
        }
    }

    /** Returns the file names of the archives that were refused. */
    static Set<String> archives() {
        return CAUSES.keySet();
    }

    /** Returns why the archive with that path, or URL, was refused, or null where it was not. */
    static String cause(String archive) {
        return CAUSES.get(fileOf(archive));
    }

    /** Returns the last part of a path or URL. */
    static String fileOf(String archive) {
        return archive.substring(archive.lastIndexOf('/') + 1);
    }

    @Override
    public void append(LogEvent event) {
        String told = event.getMessage().getFormattedMessage();
        Throwable error = event.getThrown();
        Matcher restore = RESTORE_TOLD.matcher(told);
        if (told.startsWith(TOLD) && error != null) {
            String message = error.getMessage() == null ? "" : ": " + error.getMessage();
            CAUSES.put(fileOf(told.substring(TOLD.length()).trim()), shown(error.getClass().getSimpleName() + message));
        } else if (restore.matches()) {
            CAUSES.put(SNAPSHOT, "TorchServe stopped restoring its snapshot: " + shown(restore.group(1)));
        }
    }

    /** A URL is cut after its host: what follows may hold a key. */
    private static String shown(String text) {
        return URL.matcher(text).replaceAll("$1$2/…");
    }
}
