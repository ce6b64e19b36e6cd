"""What gunicorn reads when it is started in this folder; the command line wins over it."""

from gunicorn import util

from config.patience import problem_writer

worker_class = "config.patience.PatientWorker"
keepalive = 5
graceful_timeout = 20
util.write_error = problem_writer(util.write_nonblock)
