.PHONY: demo test check soak

demo test check soak:
	python3 run.py $@
